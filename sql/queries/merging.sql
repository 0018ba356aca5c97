-- name: one_at_a_time
-- Whatever may join or part customers takes this first, so that no two of them wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended('fte.customers', 0));

-- name: standing
SELECT id, merged_into, erased_at FROM customers WHERE id = ANY($1::uuid[]);

-- name: move_identifiers
UPDATE customer_identifiers SET customer_id = $1 WHERE customer_id = $2 RETURNING id;

-- name: move_routes
-- Before the conversations, as an arrival locks them; with where they led.
UPDATE routes SET customer_id = $1 WHERE customer_id = $2 RETURNING id, conversation_id;

-- name: move_conversations
-- The epoch makes every turn under way start over, with the merged history.
UPDATE conversations SET customer_id = $1, epoch = epoch + 1 WHERE customer_id = $2 RETURNING id, trust;

-- name: move_messages
-- Locked in their order, as a turn's attempt is counted.
WITH theirs AS (SELECT id FROM messages WHERE customer_id = $2 ORDER BY seq FOR NO KEY UPDATE)
UPDATE messages m SET customer_id = $1 FROM theirs WHERE m.id = theirs.id;

-- name: move_tickets
UPDATE tickets SET customer_id = $1 WHERE customer_id = $2;

-- name: move_decisions
UPDATE decisions SET customer_id = $1 WHERE customer_id = $2;

-- name: move_attachments
UPDATE attachments SET customer_id = $1 WHERE customer_id = $2;

-- name: move_verifications
UPDATE verifications SET customer_id = $1 WHERE customer_id = $2;

-- name: move_notes
UPDATE notes SET customer_id = $1 WHERE customer_id = $2;

-- name: move_ratings
UPDATE ratings SET customer_id = $1 WHERE customer_id = $2;

-- name: move_blobs
-- The key stays sealed for whom it was: a sealed value names its owner.
UPDATE blobs SET customer_id = $1 WHERE customer_id = $2 RETURNING id;

-- name: mark_merged
UPDATE customers SET merged_into = $1 WHERE id = $2;

-- name: record_merge
INSERT INTO customer_merges (winner, loser, moved, cause) VALUES ($1, $2, $3::jsonb, $4) RETURNING id;

-- name: merge_by_id
SELECT id, winner, loser, moved, undone_at FROM customer_merges WHERE id = $1;

-- name: merge_of
-- The merge that an unmerge of this customer undoes: by which it went into another, else the last into it.
SELECT id, winner, loser, moved, undone_at FROM customer_merges
WHERE undone_at IS NULL AND (loser = $1 OR winner = $1)
ORDER BY loser = $1 DESC, id DESC
LIMIT 1;

-- name: merged_by
-- The merge by which a customer went into another, and still is there.
SELECT id, winner FROM customer_merges WHERE loser = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: merges_of
SELECT id, winner, loser, cause, merged_at, undone_at FROM customer_merges WHERE winner = $1 OR loser = $1 ORDER BY id;

-- name: mark_undone
UPDATE customer_merges SET undone_at = now() WHERE id = $1;

-- name: mark_parted
UPDATE customers SET merged_into = NULL WHERE id = $1;

-- name: return_identifiers
UPDATE customer_identifiers SET customer_id = $1 WHERE id = ANY($3::bigint[]) AND customer_id = $2;

-- name: return_routes
UPDATE routes r SET customer_id = $1, conversation_id = back.conversation_id
FROM unnest($3::uuid[], $4::uuid[]) AS back (id, conversation_id)
WHERE r.id = back.id AND r.customer_id = $2;

-- name: return_conversations
UPDATE conversations SET customer_id = $1, trust = coalesce($4::jsonb ->> id::text, trust)
WHERE id = ANY($3::uuid[]) AND customer_id = $2;

-- name: return_blobs
UPDATE blobs SET customer_id = $1 WHERE id = ANY($3::uuid[]) AND customer_id = $2;

-- name: return_messages
-- A message belongs to whom its route does: what came on theirs since lies in no conversation of the other's.
UPDATE messages m SET customer_id = $1,
    conversation_id = CASE WHEN m.conversation_id = ANY($4::uuid[]) THEN m.conversation_id ELSE r.conversation_id END
FROM routes r
WHERE r.id = m.route_id AND r.id = ANY($3::uuid[]) AND r.customer_id = $1 AND m.customer_id = $2;

-- name: strangers_routes
-- Routes of the other's that lead into conversations that go back, or were written on there.
SELECT DISTINCT r.id, r.channel FROM routes r LEFT JOIN messages m ON m.route_id = r.id
WHERE r.customer_id = $1 AND (r.conversation_id = ANY($2::uuid[]) OR m.conversation_id = ANY($2::uuid[]));

-- name: open_conversation
INSERT INTO conversations (id, customer_id, trust, state, last_channel, metadata)
VALUES ($1, $2, 'verified', 'agent', $3, $4::jsonb);

-- name: part_routes
UPDATE routes SET conversation_id = $1
WHERE id = ANY($2::uuid[]) AND conversation_id = ANY($3::uuid[]);

-- name: part_messages
UPDATE messages SET conversation_id = $1
WHERE route_id = ANY($2::uuid[]) AND conversation_id = ANY($3::uuid[]);

-- name: follow_deliveries
UPDATE deliveries d SET conversation_id = m.conversation_id
FROM messages m
WHERE m.id = d.message_id AND m.route_id = ANY($1::uuid[]) AND d.conversation_id <> m.conversation_id;

-- name: follow_long_answers
UPDATE long_answers l SET conversation_id = m.conversation_id
FROM messages m
WHERE m.id = l.message_id AND m.route_id = ANY($1::uuid[]) AND l.conversation_id <> m.conversation_id;

-- name: follow_decisions
UPDATE decisions d SET conversation_id = m.conversation_id, customer_id = m.customer_id
FROM messages m
WHERE m.id = d.message_id AND m.route_id = ANY($1::uuid[])
  AND (d.conversation_id <> m.conversation_id OR d.customer_id <> m.customer_id);

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

-- name: own_attachments
UPDATE attachments o SET customer_id = m.customer_id FROM messages m
WHERE m.id = o.message_id AND m.customer_id = ANY($1::uuid[]) AND o.customer_id <> m.customer_id;

-- name: own_blobs
UPDATE blobs b SET customer_id = m.customer_id
FROM messages m LEFT JOIN attachments a ON a.message_id = m.id
WHERE b.id IN (m.raw_blob_id, a.blob_id) AND m.customer_id = ANY($1::uuid[]) AND b.customer_id <> m.customer_id;

-- name: reopen_for_open
-- What still waits for an answer lies in no closed conversation.
UPDATE conversations c SET state = 'agent'
WHERE c.id = ANY($1::uuid[]) AND c.state = 'closed'
  AND EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.author = 'customer' AND m.outcome IS NULL);

-- name: bump_epochs
UPDATE conversations SET epoch = epoch + 1 WHERE customer_id = ANY($1::uuid[]);
