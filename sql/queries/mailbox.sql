-- name: look
-- What the lease's holder sees: null when the lease was lost. Read before the messages, so that an
-- arrival after it makes the release miss.
SELECT c.customer_id, c.trust, c.state, c.epoch, c.arrived, c.last_channel, now() AS now
FROM conversations c
WHERE c.id = $1 AND c.lease_token = $2 AND c.lease_expires > now();

-- name: named
-- The conversation of a ticket, or by its own id.
SELECT id, state, EXISTS (SELECT FROM messages m WHERE m.conversation_id = conversations.id AND m.author = 'customer')
                      AS written_in
FROM conversations WHERE id = (SELECT conversation_id FROM tickets WHERE id = $1) OR id = $2;

-- name: peek
-- The conversation without its lease, and the route its customer wrote on last.
SELECT c.customer_id, CASE WHEN c.trust = 'verified' THEN m.trust ELSE c.trust END AS trust, c.state, c.epoch,
       m.route_id, m.channel, r.address_enc
FROM conversations c
JOIN LATERAL (SELECT route_id, channel, trust FROM messages
              WHERE conversation_id = c.id AND author = 'customer' ORDER BY seq DESC LIMIT 1) m ON true
JOIN routes r ON r.id = m.route_id
WHERE c.id = $1;

-- name: lock_unleased
SELECT customer_id FROM conversations WHERE id = $1 AND epoch = $2 AND state = 'agent' FOR NO KEY UPDATE;

-- name: open_messages
-- The unanswered messages on the route of the oldest one: one turn. A handoff that never went out told nobody.
SELECT m.id, m.route_id, m.channel, m.trust, m.subject_enc, m.body_enc, m.details_enc, m.received_at, m.attempts,
       r.address_enc,
       EXISTS (SELECT FROM messages h LEFT JOIN deliveries d ON d.message_id = h.id
               WHERE h.id = m.reply_id AND h.handoff AND coalesce(d.status, '') NOT IN ('failed', 'superseded'))
           AS handed_over,
       extract(epoch FROM now() - max(m.stored_at) OVER ())::float8 AS quiet_s,
       extract(epoch FROM now() - min(m.stored_at) OVER ())::float8 AS waited_s
FROM messages m
JOIN routes r ON r.id = m.route_id
WHERE m.conversation_id = $1 AND m.author = 'customer' AND m.outcome IS NULL
  AND m.route_id = (SELECT o.route_id FROM messages o
                    WHERE o.conversation_id = $1 AND o.author = 'customer' AND o.outcome IS NULL
                    ORDER BY o.seq LIMIT 1)
ORDER BY m.seq;

-- name: answered_here
-- Whether a conversation has an answer of ours on a channel that a turn of this trust may know of.
SELECT EXISTS (SELECT FROM messages a LEFT JOIN deliveries d ON d.message_id = a.id
               WHERE a.conversation_id = $1 AND a.author <> 'customer' AND a.kind = 'message' AND a.channel = $2
                 AND ($3 = 'verified' OR a.trust <> 'verified')
                 AND coalesce(d.status, '') NOT IN ('superseded', 'failed', 'rerouted'));

-- name: count_attempt
-- Locked in their order, as a merge locks them.
WITH theirs AS (SELECT id FROM messages WHERE id = ANY($1::uuid[]) AND outcome IS NULL ORDER BY seq FOR NO KEY UPDATE)
UPDATE messages m SET attempts = attempts + 1 FROM theirs WHERE m.id = theirs.id RETURNING m.attempts;

-- name: extend
UPDATE conversations SET lease_expires = now() + make_interval(secs => $3)
WHERE id = $1 AND lease_token = $2
RETURNING id;

-- name: abandon
-- The worker failed: its event's redelivery need not wait for the lease to look dead.
UPDATE conversations SET lease_expires = least(lease_expires, now() + make_interval(secs => $3))
WHERE id = $1 AND lease_token = $2;

-- name: release
UPDATE conversations SET lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1 AND lease_token = $2 AND arrived = $3
RETURNING id;

-- name: hand_back
-- Release whatever arrived since: a wake event follows.
UPDATE conversations SET lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1 AND lease_token = $2;

-- name: waiting_deliveries
SELECT id FROM deliveries WHERE conversation_id = $1 AND status = 'queued' ORDER BY seq;

-- name: lock_for_commit
SELECT customer_id FROM conversations
WHERE id = $1 AND lease_token = $2 AND epoch = $3 AND state = 'agent'
FOR NO KEY UPDATE;

-- name: lock_leased
SELECT id FROM conversations WHERE id = $1 AND lease_token = $2 AND state = 'agent' FOR NO KEY UPDATE;

-- name: insert_reply
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, subject_enc, body_enc,
                      handoff, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now());

-- name: settle
-- Those very messages, still without outcome: fewer rows than ids means the turn is stale.
UPDATE messages SET outcome = $2, outcome_reason = $3, outcome_at = now(), reply_id = $4
WHERE id = ANY($1::uuid[]) AND outcome IS NULL
RETURNING id;

-- name: insert_delivery
INSERT INTO deliveries (id, message_id, conversation_id, route_id, channel, author, arrived_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: insert_decision
INSERT INTO decisions (conversation_id, customer_id, message_id, outcome, reason, model, instructions,
                       tokens_in, tokens_out, sentiment, record_enc, cost_usd)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: change_ticket
UPDATE tickets SET category = coalesce($2, category), priority = coalesce($3, priority),
                   subject_enc = coalesce($4, subject_enc), updated_at = now()
WHERE conversation_id = $1 AND status <> 'closed';

-- name: escalate_ticket
UPDATE tickets SET status = 'escalated', reason = $2, summary_enc = coalesce($3, summary_enc), updated_at = now()
WHERE conversation_id = $1 AND status <> 'closed'
RETURNING id;

-- name: to_person
UPDATE conversations SET state = 'human', epoch = epoch + 1, handed_over_at = now(),
                         lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1;

-- name: escalate_rest
UPDATE messages SET outcome = 'escalated', outcome_reason = $2, outcome_at = now()
WHERE conversation_id = $1 AND author = 'customer' AND outcome IS NULL
RETURNING channel;

-- name: ticket_of
-- The conversation's first ticket, and when something is asked of its customer again.
SELECT t.id, t.status, t.category, t.priority, t.subject_enc, t.created_at,
       (SELECT f.due_at FROM follow_ups f JOIN conversations c ON c.id = f.conversation_id
        WHERE c.id = $1 AND f.state = 'waiting' AND f.epoch = c.epoch) AS follow_up_at
FROM tickets t
WHERE t.conversation_id = $1
ORDER BY t.created_at, t.id
LIMIT 1;
