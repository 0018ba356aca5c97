-- What the agent asks later: shared/conversations/follow_ups.py.

-- name: drop_waiting
UPDATE follow_ups SET state = 'dropped', reason = $2, decided_at = now() WHERE conversation_id = $1 AND state = 'waiting';

-- name: schedule
-- After the messages $7 that this turn answers, or else the last of all; not again after one that was said and that
-- nobody answered. $6: hours from now.
INSERT INTO follow_ups (id, conversation_id, route_id, purpose, language, epoch, after_seq, due_at)
SELECT $1, c.id, $3, $4, $5, c.epoch, last.seq, now() + make_interval(hours => $6)
FROM conversations c
CROSS JOIN LATERAL (SELECT max(seq) AS seq FROM messages m
                    WHERE m.conversation_id = c.id AND m.author = 'customer'
                      AND (m.id = ANY ($7::uuid[]) OR $7::uuid[] = '{}')) AS last
WHERE c.id = $2 AND last.seq IS NOT NULL
  AND NOT EXISTS (SELECT FROM follow_ups f
                  WHERE f.conversation_id = c.id AND f.state = 'said' AND f.after_seq >= last.seq);

-- name: due
SELECT DISTINCT conversation_id FROM follow_ups WHERE state = 'waiting' AND due_at <= now() LIMIT 100;

-- name: hold
-- Whose the conversation is, held until the transaction ends: a message that comes now comes before, or after.
SELECT customer_id, state, epoch FROM conversations WHERE id = $1 FOR NO KEY UPDATE;

-- name: due_of
-- What is due in a conversation that is held, with what may have come in between; $2: hours after which it is too late.
SELECT f.id, f.purpose, f.language, f.epoch, f.route_id, r.channel, r.address_enc,
       f.due_at < now() - make_interval(hours => $2) AS late,
       EXISTS (SELECT FROM messages m WHERE m.conversation_id = f.conversation_id AND m.author <> 'agent'
                 AND (m.seq > f.after_seq OR (m.author = 'customer' AND m.outcome IS NULL))) AS written,
       EXISTS (SELECT FROM deliveries d WHERE d.route_id = f.route_id
                 AND d.status IN ('queued', 'sending', 'unknown', 'deferred')) AS sending
FROM follow_ups f
JOIN routes r ON r.id = f.route_id
WHERE f.conversation_id = $1 AND f.state = 'waiting' AND f.due_at <= now()
FOR NO KEY UPDATE OF f;

-- name: decide
UPDATE follow_ups SET state = $2, reason = $3, message_id = $4, decided_at = now() WHERE id = $1;

-- name: insert_message
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, body_enc, received_at)
VALUES ($1, $2, $3, $4, $5, 'agent', 'verified', $6, now());
