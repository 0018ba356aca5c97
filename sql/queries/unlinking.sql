-- name: identifier
SELECT i.id, i.customer_id, c.erased_at,
       (SELECT count(*) FROM customer_identifiers o
        WHERE o.customer_id = i.customer_id AND o.trust = 'verified' AND o.id <> i.id) AS others
FROM customer_identifiers i JOIN customers c ON c.id = i.customer_id
WHERE i.kind = $1 AND i.lookup = $2 AND i.trust = 'verified';

-- name: came_by_merge
-- The merge that brought it, and still stands.
SELECT id FROM customer_merges
WHERE winner = $1 AND undone_at IS NULL AND moved -> 'identifiers' @> to_jsonb($2::bigint)
ORDER BY id DESC LIMIT 1;

-- name: forget_identifier
DELETE FROM customer_identifiers WHERE id = $1;

-- name: give_identifier
UPDATE customer_identifiers SET customer_id = $2, value_enc = $3 WHERE id = $1;
