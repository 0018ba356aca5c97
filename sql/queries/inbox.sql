-- name: find_message
SELECT id, conversation_id FROM messages WHERE channel = $1 AND provider_message_id = $2;

-- name: find_route
-- customer_id: whose the conversation is. After an unmerge a route may still lead to another's.
SELECT r.id, r.conversation_id, c.customer_id, c.state,
       c.last_activity_at > now() - make_interval(hours => $3::int) AS active
FROM routes r
JOIN conversations c ON c.id = r.conversation_id
WHERE r.channel = $1 AND r.key = $2
FOR NO KEY UPDATE OF r, c;

-- name: routes_answered
-- The routes of mails of ours that a message refers to, the last mentioned first.
SELECT c.customer_id, r.conversation_id, r.address_enc, c.state, c.trust
FROM unnest($1::uuid[]) WITH ORDINALITY AS named (delivery_id, place)
JOIN deliveries d ON d.id = named.delivery_id AND d.channel = 'email'
JOIN routes r ON r.id = d.route_id
JOIN conversations c ON c.id = r.conversation_id
ORDER BY named.place DESC;

-- name: recent_conversation
-- The customer's open conversation that a message without a thread of its own goes on with.
-- $3: only one the agent has, and last spoken to on another channel than $4.
SELECT id FROM conversations
WHERE customer_id = $1 AND trust = 'verified' AND state <> 'closed'
  -- What a person has stays theirs however long they take.
  AND (state = 'human' OR last_activity_at > now() - make_interval(hours => $2::int))
  AND (NOT $3::boolean OR (state = 'agent' AND last_channel <> $4))
ORDER BY last_activity_at DESC
LIMIT 1
FOR NO KEY UPDATE;

-- name: create_conversation
INSERT INTO conversations (id, customer_id, trust, state, last_channel, metadata, handed_over_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, CASE WHEN $4 = 'human' THEN now() END);

-- name: create_route
INSERT INTO routes (id, channel, key, customer_id, conversation_id, address_enc) VALUES ($1, $2, $3, $4, $5, $6);

-- name: move_route
UPDATE routes SET conversation_id = $2, customer_id = $3 WHERE id = $1 AND (conversation_id, customer_id) <> ($2, $3);

-- name: create_ticket
INSERT INTO tickets (id, conversation_id, customer_id, channel, status, category, subject_enc, reason, priority)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: describe_ticket
-- A page's first message came after a later one: what it is about is its to say.
UPDATE tickets SET subject_enc = $2, category = $3, updated_at = now() WHERE id = $1;

-- name: page_conversation
SELECT t.conversation_id, c.customer_id, c.state, c.trust
FROM tickets t JOIN conversations c ON c.id = t.conversation_id
WHERE t.id = $1 AND t.channel = 'web';

-- name: reopen
UPDATE conversations SET state = 'agent', epoch = epoch + 1 WHERE id = $1 AND state = 'closed';

-- name: reopen_ticket
-- The page's own, or the first of the conversation it belongs to.
UPDATE tickets SET status = 'open', closed_at = NULL, updated_at = now()
WHERE status = 'closed' AND id = (SELECT id FROM tickets WHERE conversation_id = $1
                                  ORDER BY (id = $2) DESC, created_at, id LIMIT 1);

-- name: create_message
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, provider_message_id,
                      subject_enc, body_enc, details_enc, received_at, outcome, outcome_reason, outcome_at, known, mood)
VALUES ($1, $2, $3, $4, $5, 'customer', $6, $7, $8, $9, $10, $11, $12::text, $13,
        CASE WHEN $12::text IS NULL THEN NULL ELSE now() END, $14, $15);

-- name: arrive
-- Inbox and lease in one statement: count the arrival, note a change of channel, and take the lease if
-- it is free, expired, or held by this very event whose worker has not renewed it for $7 seconds: it died.
WITH now_held AS (
    SELECT id, state = 'agent' AND (lease_token IS NULL OR lease_expires < now()
               OR (lease_event = $4 AND lease_expires < now() + make_interval(secs => $6::float8 - $7::float8))) AS free,
           lease_event = $4 AND lease_expires >= now() AS same_event
    FROM conversations WHERE id = $1
    FOR NO KEY UPDATE
)
UPDATE conversations c SET
    arrived = arrived + $2,
    last_channel = coalesce($3, last_channel),
    last_activity_at = CASE WHEN $3::text IS NULL THEN last_activity_at ELSE now() END,
    metadata = CASE WHEN $3::text IS NULL OR $3 = last_channel THEN metadata
        ELSE jsonb_set(metadata, '{channel_switches}', coalesce(metadata -> 'channel_switches', '[]')
             || jsonb_build_object('from', last_channel, 'to', $3::text, 'at', now())) END,
    lease_token   = CASE WHEN h.free THEN $5::uuid ELSE lease_token END,
    lease_expires = CASE WHEN h.free THEN now() + make_interval(secs => $6) ELSE lease_expires END,
    lease_event   = CASE WHEN h.free THEN $4 ELSE lease_event END
FROM now_held h
WHERE c.id = h.id
RETURNING c.customer_id, c.state, h.free AS taken, coalesce(h.same_event AND NOT h.free, false) AS at_work;

-- name: conversation_state
SELECT state FROM conversations WHERE id = $1 FOR NO KEY UPDATE;

-- name: keep_raw
UPDATE messages SET raw_blob_id = $2 WHERE id = $1;
