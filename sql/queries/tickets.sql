-- name: list
-- With whom it is about: the address the customer wrote from last. $2: for whom it waits, $3: who sees to it
-- (empty: nobody).
SELECT t.id, t.conversation_id, t.customer_id, t.channel, t.status, t.category, t.priority, t.reason, t.subject_enc,
       r.address_enc, t.created_at, t.updated_at, t.assigned_to,
       CASE WHEN t.status <> 'closed' THEN w.waits_for END AS waits_for,
       CASE WHEN t.status <> 'closed' THEN w.since END AS waits_since
FROM tickets t
JOIN conversation_waits w ON w.conversation_id = t.conversation_id
LEFT JOIN LATERAL (SELECT route_id FROM messages m WHERE m.conversation_id = t.conversation_id AND m.author = 'customer'
                   ORDER BY m.seq DESC LIMIT 1) latest ON true
LEFT JOIN routes r ON r.id = latest.route_id
WHERE ($1::text IS NULL OR t.status = $1)
  AND ($2::text IS NULL OR t.status <> 'closed' AND w.waits_for = $2)
  AND ($3::text IS NULL OR coalesce(t.assigned_to, '') = $3)
ORDER BY t.updated_at DESC
LIMIT $4;

-- name: show
SELECT t.id, t.conversation_id, t.customer_id, t.channel, t.status, t.category, t.priority, t.reason, t.subject_enc,
       t.summary_enc, r.address_enc, t.created_at, t.updated_at, t.closed_at, t.close_reason_enc, t.assigned_to,
       c.state, c.trust, c.metadata,
       CASE WHEN t.status <> 'closed' THEN w.waits_for END AS waits_for,
       CASE WHEN t.status <> 'closed' THEN w.since END AS waits_since
FROM tickets t
JOIN conversations c ON c.id = t.conversation_id
JOIN conversation_waits w ON w.conversation_id = c.id
LEFT JOIN LATERAL (SELECT route_id FROM messages m WHERE m.conversation_id = t.conversation_id AND m.author = 'customer'
                   ORDER BY m.seq DESC LIMIT 1) latest ON true
LEFT JOIN routes r ON r.id = latest.route_id
WHERE t.id = $1;

-- name: notes
SELECT ticket_id, author, text_enc, written_at FROM notes WHERE conversation_id = $1 ORDER BY written_at, id;

-- name: insert_note
INSERT INTO notes (id, ticket_id, conversation_id, customer_id, author, text_enc) VALUES ($1, $2, $3, $4, $5, $6);

-- name: assign
UPDATE tickets SET assigned_to = $2, updated_at = now() WHERE id = $1 AND status <> 'closed' RETURNING id;

-- name: assign_if_free
UPDATE tickets SET assigned_to = coalesce(assigned_to, $2) WHERE conversation_id = $1 AND status <> 'closed';

-- name: idle
-- Conversations in which a person spoke last, long ago, and what they said went out.
SELECT c.id FROM conversations c JOIN conversation_waits w ON w.conversation_id = c.id
WHERE c.state = 'human' AND c.trust <> 'held' AND w.waits_for = 'customer'
  AND w.spoke_at < now() - make_interval(secs => $1)
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.conversation_id = c.id
                  AND d.status IN ('queued', 'sending', 'unknown', 'deferred'))
ORDER BY w.spoke_at
LIMIT 100;

-- name: lock_human
SELECT id FROM conversations WHERE id = $1 AND state = 'human' FOR NO KEY UPDATE;

-- name: is_idle
-- Looked at again under the lock.
SELECT EXISTS (SELECT FROM conversation_waits w
               WHERE w.conversation_id = $1 AND w.waits_for = 'customer'
                 AND w.spoke_at < now() - make_interval(secs => $2));

-- name: overdue
-- Customers who wait for a person: since before so many seconds, and the longest.
SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(w.since)), 0)::float8 AS oldest_s
FROM conversations c JOIN conversation_waits w ON w.conversation_id = c.id
WHERE c.state = 'human' AND w.waits_for = 'person' AND w.since < now() - make_interval(secs => $1);

-- name: thread
SELECT m.id, m.author, m.kind, m.copy_of, m.channel, m.trust, m.subject_enc, m.body_enc, m.details_enc, m.received_at, m.outcome,
       m.outcome_reason, m.mood, m.raw_blob_id IS NOT NULL AS has_raw,
       d.status AS delivery, d.error_code, d.attempt
FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
WHERE m.conversation_id = $1
ORDER BY m.seq;

-- name: attachment
-- A file of one of the ticket's messages.
SELECT a.name_enc, a.blob_id
FROM tickets t
JOIN messages m ON m.conversation_id = t.conversation_id
JOIN attachments a ON a.message_id = m.id
WHERE t.id = $1 AND a.id = $2;

-- name: raw
SELECT m.raw_blob_id
FROM tickets t
JOIN messages m ON m.conversation_id = t.conversation_id
WHERE t.id = $1 AND m.id = $2;

-- name: decisions
-- Each with what was said, and the first of the messages that it was about.
SELECT d.outcome, d.reason, d.model, d.instructions, d.tokens_in, d.tokens_out, d.cost_usd, d.sentiment, d.record_enc,
       d.decided_at, d.message_id, m.channel, m.body_enc AS reply_enc, a.body_enc AS asked_enc
FROM decisions d
LEFT JOIN messages m ON m.id = d.message_id
LEFT JOIN LATERAL (SELECT body_enc FROM messages q WHERE q.reply_id = d.message_id ORDER BY q.seq LIMIT 1) a ON true
WHERE d.conversation_id = $1 ORDER BY d.id;

-- name: lock_conversation
SELECT c.id, c.customer_id, c.state, c.trust
FROM tickets t JOIN conversations c ON c.id = t.conversation_id
WHERE t.id = $1
FOR NO KEY UPDATE OF c;

-- name: latest_route
-- Where the customer last wrote: a person's reply goes there.
SELECT m.route_id, m.channel, m.trust FROM messages m
WHERE m.conversation_id = $1 AND m.author = 'customer'
ORDER BY m.seq DESC LIMIT 1;

-- name: said_lately
-- What people said within $2 seconds, and was not stopped or lost.
SELECT m.body_enc FROM messages m JOIN deliveries d ON d.message_id = m.id
WHERE m.conversation_id = $1 AND m.author = 'human' AND m.received_at > now() - make_interval(secs => $2)
  AND d.status NOT IN ('failed', 'superseded');

-- name: take_over
-- No later than what the person says in this transaction, which may have waited for the one that handed over.
UPDATE conversations SET state = 'human', epoch = epoch + 1, last_activity_at = now(),
                         handed_over_at = CASE WHEN state = 'human' THEN least(handed_over_at, now()) ELSE now() END,
                         lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1;

-- name: mark_answered
-- A person's reply answers what waited for one.
UPDATE messages SET outcome = 'escalated', outcome_reason = coalesce(outcome_reason, 'takeover'), outcome_at = now(),
                    reply_id = $2
WHERE conversation_id = $1 AND author = 'customer' AND reply_id IS NULL
  AND (outcome IS NULL OR outcome = 'escalated');

-- name: escalate_ticket
UPDATE tickets SET status = 'escalated', reason = coalesce(reason, $2), updated_at = now()
WHERE conversation_id = $1 AND status <> 'closed';

-- name: give_back
UPDATE conversations SET state = 'agent', epoch = epoch + 1, last_activity_at = now() WHERE id = $1;

-- name: reopen_unanswered
-- A handoff is no answer: what no person answered is the agent's again. With why each had come to a person.
WITH theirs AS (
    SELECT m.id, m.outcome_reason FROM messages m
    WHERE m.conversation_id = $1 AND m.author = 'customer' AND m.outcome = 'escalated' AND m.trust <> 'held'
      AND NOT EXISTS (SELECT FROM messages p
                      WHERE p.conversation_id = $1 AND p.author = 'human' AND p.seq > m.seq)
    ORDER BY m.seq FOR NO KEY UPDATE)
UPDATE messages m SET outcome = NULL, outcome_reason = NULL, outcome_at = NULL, attempts = 0
FROM theirs WHERE m.id = theirs.id
RETURNING theirs.outcome_reason;

-- name: open_tickets
UPDATE tickets SET status = 'open', assigned_to = NULL, updated_at = now()
WHERE conversation_id = $1 AND status = 'escalated';

-- name: unanswered
SELECT (SELECT count(*) FROM messages m WHERE m.conversation_id = $1 AND m.author = 'customer' AND m.outcome IS NULL)
           AS without_outcome,
       -- A copy is no answer: what it copies is on its page.
       (SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id AND m.kind <> 'copy'
         WHERE d.conversation_id = $1 AND d.status IN ('queued', 'sending', 'unknown', 'deferred')) AS undelivered,
       (SELECT count(*) FROM messages m WHERE m.conversation_id = $1 AND m.author = 'customer'
           AND m.outcome = 'escalated' AND NOT EXISTS (
               SELECT FROM messages p WHERE p.conversation_id = $1 AND p.author = 'human' AND p.seq > m.seq))
           AS waiting_for_person;

-- name: close
UPDATE conversations SET state = 'closed', epoch = epoch + 1,
                         lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1;

-- name: close_tickets
UPDATE tickets SET status = 'closed', closed_at = now(), updated_at = now(), close_reason_enc = $2
WHERE conversation_id = $1 AND status <> 'closed';

-- name: counts
SELECT (SELECT count(*) FROM tickets WHERE status = 'open') AS open,
       (SELECT count(*) FROM tickets WHERE status = 'escalated') AS escalated,
       (SELECT count(*) FROM tickets t JOIN conversation_waits w ON w.conversation_id = t.conversation_id
        WHERE t.status = 'escalated' AND w.waits_for = 'person') AS waiting_person,
       (SELECT count(*) FROM messages WHERE author = 'customer' AND outcome IS NULL) AS waiting,
       (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending', 'unknown', 'deferred')) AS undelivered,
       (SELECT count(*) FROM dead_letters WHERE status = 'waiting') AS dead_letters,
       (SELECT count(*) FROM messages WHERE author = 'customer' AND stored_at > now() - interval '1 day') AS inbound_day,
       (SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id AND m.kind <> 'copy'
         WHERE d.finished_at > now() - interval '1 day' AND d.status IN ('sent', 'delivered', 'read')) AS delivered_day,
       (SELECT count(*) FROM surveys WHERE asked_at > now() - interval '7 days') AS surveys_week,
       rated.ratings_week, rated.rating_week,
       week.inbound_week, week.recognised_week
FROM (SELECT count(*) AS ratings_week, avg(score)::float8 AS rating_week
      FROM ratings WHERE rated_at > now() - interval '7 days') rated,
     (SELECT count(*) AS inbound_week, count(*) FILTER (WHERE known = 'yes') AS recognised_week
      FROM messages
      WHERE author = 'customer' AND coalesce(outcome, '') <> 'ignored' AND stored_at > now() - interval '7 days') week;

