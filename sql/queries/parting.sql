-- name: routes_written_on
-- Where this customer wrote; whose address each is stands sealed in it.
SELECT r.id, r.address_enc FROM routes r
WHERE r.customer_id = $1 AND r.channel = ANY($2::text[])
  AND EXISTS (SELECT FROM messages m WHERE m.route_id = r.id AND m.author = 'customer');

-- name: give_routes
UPDATE routes SET customer_id = $1 WHERE id = ANY($2::uuid[]) AND customer_id = $3 RETURNING id;

-- name: shared
-- The conversations of $3 in which somebody wrote, or was told, on these routes, and those of $2: whether these routes
-- opened it, and whether others were written on there as well. Notices answer nobody and are no part of that.
SELECT c.id, c.id = ANY($2::uuid[]) OR (array_agg(m.route_id = ANY($1::uuid[]) ORDER BY m.seq))[1] AS opened,
       coalesce(bool_or(m.route_id <> ALL($1::uuid[]))
                AND (c.id = ANY($2::uuid[]) OR bool_or(m.route_id = ANY($1::uuid[]))), false) AS mixed
FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id AND m.kind = 'message'
WHERE c.customer_id = $3
  AND (c.id = ANY($2::uuid[])
       OR EXISTS (SELECT FROM messages o WHERE o.conversation_id = c.id AND o.kind = 'message'
                                           AND o.route_id = ANY($1::uuid[])))
GROUP BY c.id
ORDER BY c.id;

-- name: give_conversations
UPDATE conversations SET customer_id = $1 WHERE id = ANY($2::uuid[]);

-- name: routes_of
-- The routes that were written on in a conversation: those among $2, or the others.
SELECT DISTINCT route_id AS id FROM messages
WHERE conversation_id = $1 AND kind = 'message' AND (route_id = ANY($2::uuid[])) = $3;

-- name: copy_conversation
-- Beside the one it is parted from, and as it stands: what a person had a person has.
INSERT INTO conversations (id, customer_id, trust, state, last_channel, metadata, handed_over_at)
SELECT $1, $2, trust, state, last_channel, jsonb_build_object('trust_reason', $4::text), handed_over_at
FROM conversations WHERE id = $3;

-- name: part_routes
UPDATE routes SET conversation_id = $1 WHERE id = ANY($2::uuid[]) AND conversation_id = $3;

-- name: part_messages
-- With the copies of its answers, which are mailed on routes of their own.
UPDATE messages m SET conversation_id = $1
WHERE m.conversation_id = $3
  AND (m.route_id = ANY($2::uuid[])
       OR m.copy_of IN (SELECT o.id FROM messages o WHERE o.conversation_id = $3 AND o.route_id = ANY($2::uuid[])));

-- name: pages
SELECT address_enc FROM routes WHERE id = ANY($1::uuid[]) AND channel = 'web';

-- name: part_tickets
-- A page goes with who writes on it, and what was said of its ticket with that.
WITH theirs AS (UPDATE tickets SET conversation_id = $1
                WHERE id = ANY($2::text[]) AND conversation_id = $3 RETURNING id)
UPDATE ratings r SET conversation_id = $1 FROM theirs WHERE r.ticket_id = theirs.id;

-- name: tell_last_channels
UPDATE conversations c SET last_channel = m.channel
FROM (SELECT DISTINCT ON (conversation_id) conversation_id, channel FROM messages
      WHERE conversation_id = ANY($1::uuid[]) AND author = 'customer' AND kind = 'message'
      ORDER BY conversation_id, seq DESC) m
WHERE c.id = m.conversation_id;

-- name: forget_summaries
UPDATE tickets SET summary_enc = NULL WHERE conversation_id = ANY($1::uuid[]);

-- name: follow_deliveries
UPDATE deliveries d SET conversation_id = m.conversation_id
FROM messages m
WHERE m.id = d.message_id AND m.conversation_id = ANY($1::uuid[]) AND d.conversation_id <> m.conversation_id;

-- name: follow_long_answers
UPDATE long_answers l SET conversation_id = m.conversation_id
FROM messages m
WHERE m.id = l.message_id AND m.conversation_id = ANY($1::uuid[]) AND l.conversation_id <> m.conversation_id;

-- name: follow_decisions
UPDATE decisions d SET conversation_id = m.conversation_id
FROM messages m
WHERE m.id = d.message_id AND m.conversation_id = ANY($1::uuid[]) AND d.conversation_id <> m.conversation_id;

-- name: own_messages
UPDATE messages o SET customer_id = c.customer_id FROM conversations c
WHERE c.id = o.conversation_id AND c.id = ANY($1::uuid[]) AND o.customer_id <> c.customer_id;

-- name: own_tickets
UPDATE tickets o SET customer_id = c.customer_id FROM conversations c
WHERE c.id = o.conversation_id AND c.id = ANY($1::uuid[]) AND o.customer_id <> c.customer_id;

-- name: own_decisions
UPDATE decisions o SET customer_id = c.customer_id FROM conversations c
WHERE c.id = o.conversation_id AND c.id = ANY($1::uuid[]) AND o.customer_id <> c.customer_id;

-- name: own_verifications
UPDATE verifications o SET customer_id = c.customer_id FROM conversations c
WHERE c.id = o.conversation_id AND c.id = ANY($1::uuid[]) AND o.customer_id <> c.customer_id;

-- name: own_ratings
UPDATE ratings o SET customer_id = c.customer_id FROM conversations c
WHERE c.id = o.conversation_id AND c.id = ANY($1::uuid[]) AND o.customer_id <> c.customer_id;

-- name: own_notes
-- With their ticket, wherever it lies now.
UPDATE notes o SET customer_id = t.customer_id, conversation_id = t.conversation_id FROM tickets t
WHERE t.id = o.ticket_id AND t.conversation_id = ANY($1::uuid[])
  AND (o.customer_id, o.conversation_id) <> (t.customer_id, t.conversation_id);

-- name: own_silent_routes
-- What nobody wrote on, as a notice's, is with whom its text is.
UPDATE routes r SET customer_id = m.customer_id, conversation_id = m.conversation_id
FROM messages m
WHERE m.route_id = r.id AND m.conversation_id = ANY($1::uuid[])
  AND (r.customer_id, r.conversation_id) <> (m.customer_id, m.conversation_id)
  AND NOT EXISTS (SELECT FROM messages o WHERE o.route_id = r.id AND o.author = 'customer');

-- name: own_attachments
UPDATE attachments o SET customer_id = m.customer_id FROM messages m
WHERE m.id = o.message_id AND m.customer_id = ANY($1::uuid[]) AND o.customer_id <> m.customer_id;

-- name: own_blobs
UPDATE blobs b SET customer_id = m.customer_id
FROM messages m LEFT JOIN attachments a ON a.message_id = m.id
WHERE b.id IN (m.raw_blob_id, a.blob_id) AND m.customer_id = ANY($1::uuid[]) AND b.customer_id <> m.customer_id;

-- name: bump_epochs
UPDATE conversations SET epoch = epoch + 1 WHERE customer_id = ANY($1::uuid[]);

-- name: without_ticket
-- A conversation that has none, with what its customer said first.
SELECT c.customer_id, c.state, m.channel, m.subject_enc, m.body_enc
FROM conversations c
JOIN LATERAL (SELECT channel, subject_enc, body_enc FROM messages
              WHERE conversation_id = c.id AND author = 'customer' ORDER BY seq LIMIT 1) m ON true
WHERE c.id = $1 AND NOT EXISTS (SELECT FROM tickets t WHERE t.conversation_id = c.id);

-- name: open_ticket
INSERT INTO tickets (id, conversation_id, customer_id, channel, status, subject_enc, reason, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $5 = 'closed' THEN now() END);
