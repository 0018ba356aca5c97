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

-- name: routes_written_on
-- Where this customer wrote; whose address each is stands sealed in it.
SELECT r.id, r.address_enc FROM routes r
WHERE r.customer_id = $1 AND r.channel = ANY($2::text[])
  AND EXISTS (SELECT FROM messages m WHERE m.route_id = r.id AND m.author = 'customer');

-- name: forget_identifier
DELETE FROM customer_identifiers WHERE id = $1;

-- name: give_identifier
UPDATE customer_identifiers SET customer_id = $2, value_enc = $3 WHERE id = $1;

-- name: give_routes
UPDATE routes SET customer_id = $1 WHERE id = ANY($2::uuid[]);

-- name: conversations_on
-- The conversations these routes lead into or were written on in, and whether nobody else wrote or was told there.
SELECT c.id, c.state, c.last_channel,
       coalesce(bool_and(m.route_id = ANY($1::uuid[])) FILTER (WHERE m.kind = 'message'), false) AS whole
FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
WHERE c.id IN (SELECT conversation_id FROM messages WHERE route_id = ANY($1::uuid[])
               UNION SELECT conversation_id FROM routes WHERE id = ANY($1::uuid[]))
GROUP BY c.id
ORDER BY c.id;

-- name: give_conversations
UPDATE conversations SET customer_id = $1 WHERE id = ANY($2::uuid[]);

-- name: give_messages
UPDATE messages SET customer_id = $1 WHERE route_id = ANY($2::uuid[]);

-- name: copy_conversation
-- Beside the one it is parted from, and as it stands: what a person had a person has.
INSERT INTO conversations (id, customer_id, trust, state, last_channel, metadata)
SELECT $1, $2, trust, state, $3, jsonb_build_object('trust_reason', 'unlinked') FROM conversations WHERE id = $4;
