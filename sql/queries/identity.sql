-- name: lock_sender
-- First messages of one sender wait for each other here, so that three at once make one customer.
SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0));

-- name: find_verified
-- The customer a verified identifier belongs to, locked against merges. NO KEY, here and everywhere: a row that
-- refers to the locked one may still be inserted, or a commit and an arrival of one customer would deadlock.
-- stale: a number so long unseen that it may be another person's by now.
SELECT c.id, i.id AS identifier_id, i.kind = 'phone' AND i.seen_at < now() - make_interval(days => $3::int) AS stale
FROM customer_identifiers i
JOIN customers c ON c.id = i.customer_id
WHERE i.kind = $1 AND i.lookup = $2 AND i.trust = 'verified' AND c.erased_at IS NULL AND c.merged_into IS NULL
FOR NO KEY UPDATE OF c;

-- name: who_has
SELECT customer_id FROM customer_identifiers WHERE kind = $1 AND lookup = $2 AND trust = 'verified';

-- name: is_claimed
-- Whether anybody wrote under it without proof, as by typing it into the form.
SELECT EXISTS (
    SELECT FROM customer_identifiers WHERE kind = $1 AND lookup = $2 AND trust = 'claimed'
) AS claimed;

-- name: see_identifier
UPDATE customer_identifiers SET seen_at = now() WHERE id = $1 AND seen_at < now() - interval '1 day';

-- name: release_identifier
-- It stays as a note: the next to write from there is somebody else until they prove otherwise.
UPDATE customer_identifiers SET trust = 'claimed' WHERE id = $1;

-- name: create_customer
INSERT INTO customers (id, data_key, name_enc) VALUES ($1, $2, $3);

-- name: lock_customer
SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE;

-- name: name_customer
UPDATE customers SET name_enc = $2 WHERE id = $1 AND name_enc IS NULL;

-- name: add_identifier
INSERT INTO customer_identifiers (customer_id, kind, lookup, value_enc, trust, conversation_id)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id;

-- name: has_claim
SELECT EXISTS (
    SELECT FROM customer_identifiers
    WHERE kind = $1 AND lookup = $2 AND trust = 'claimed' AND conversation_id = $3
);

-- name: list_customers
SELECT c.id, c.created_at, c.name_enc, c.erased_at,
       coalesce((SELECT array_agg(i.value_enc ORDER BY i.id)
                 FROM customer_identifiers i WHERE i.customer_id = c.id AND i.trust = 'verified'), '{}') AS addresses,
       (SELECT count(*) FROM conversations v WHERE v.customer_id = c.id) AS conversations,
       (SELECT max(v.last_activity_at) FROM conversations v WHERE v.customer_id = c.id) AS last_activity_at,
       coalesce((SELECT array_agg(v.last_channel ORDER BY v.last_activity_at DESC)
                 FROM conversations v WHERE v.customer_id = c.id), '{}') AS channels
FROM customers c
-- $2, $3: only who has this address or number, proven or as a note.
WHERE c.merged_into IS NULL AND ($3::bytea IS NULL OR EXISTS (
    SELECT FROM customer_identifiers i WHERE i.customer_id = c.id AND i.kind = $2 AND i.lookup = $3))
ORDER BY last_activity_at DESC NULLS LAST
LIMIT $1;

-- name: show_customer
-- One who was merged is shown as the customer they went into.
WITH RECURSIVE way AS (
    SELECT id, merged_into FROM customers WHERE id = $1
    UNION ALL
    SELECT c.id, c.merged_into FROM customers c JOIN way ON c.id = way.merged_into
)
SELECT c.id, c.created_at, c.name_enc, c.erased_at
FROM customers c JOIN way ON way.id = c.id
WHERE way.merged_into IS NULL;

-- name: identifiers_of
SELECT kind, value_enc, trust, conversation_id, created_at, seen_at
FROM customer_identifiers WHERE customer_id = $1 ORDER BY id;

-- name: conversations_of
SELECT id, state, trust, last_channel, metadata, created_at, last_activity_at
FROM conversations WHERE customer_id = $1 ORDER BY last_activity_at DESC;

-- name: record_action
INSERT INTO operator_actions (action, subject, details) VALUES ($1, $2, $3::jsonb);
