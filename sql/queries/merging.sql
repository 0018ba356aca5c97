-- name: one_at_a_time
-- Whatever may join or part customers takes this first, so that no two of them wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended('fte.customers', 0));

-- name: standing
SELECT id, merged_into, erased_at, name_enc IS NOT NULL AS named FROM customers WHERE id = ANY($1::uuid[]);

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
UPDATE customer_identifiers SET customer_id = $1 WHERE id = ANY($3::bigint[]) AND customer_id = $2
RETURNING kind, value_enc, trust;

-- name: elsewhere
-- Routes that another merge which stands brought: undoing that one returns them.
SELECT r.id FROM unnest($2::uuid[]) AS r (id)
WHERE EXISTS (SELECT FROM customer_merges o WHERE o.winner = $1 AND o.id <> $3 AND o.undone_at IS NULL
                                              AND o.moved -> 'routes' ? r.id::text);

-- name: still_theirs
SELECT id FROM conversations WHERE id = ANY($2::uuid[]) AND customer_id = $1;

-- name: return_trusts
UPDATE conversations SET trust = coalesce($3::jsonb ->> id::text, trust)
WHERE id = ANY($2::uuid[]) AND customer_id = $1;

-- name: return_blobs
UPDATE blobs SET customer_id = $1 WHERE id = ANY($3::uuid[]) AND customer_id = $2;

-- name: routes_that_name
-- What a customer wrote on, the first first: each has the name that came with it.
SELECT r.address_enc FROM routes r
WHERE r.customer_id = $1 AND EXISTS (SELECT FROM messages m WHERE m.route_id = r.id AND m.author = 'customer')
ORDER BY r.created_at, r.id;

-- name: rename
UPDATE customers SET name_enc = $2 WHERE id = $1;
