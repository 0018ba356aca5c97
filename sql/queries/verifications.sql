-- name: lock_address
-- Two first messages that give one address wait for each other here, so that one mail goes there.
SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 1));

-- name: mailed_lately
SELECT EXISTS (
    SELECT FROM verifications
    WHERE kind = 'link' AND identifier_kind = 'email' AND lookup = $1 AND created_at > now() - interval '1 day'
);

-- name: create
INSERT INTO verifications (id, kind, customer_id, conversation_id, identifier_kind, lookup, value_enc, secret,
                           delivery_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10));

-- name: find_link
SELECT v.id, v.customer_id, v.conversation_id, v.value_enc, v.used_at, v.expires_at <= now() AS expired,
       c.state, t.id AS ticket_id
FROM verifications v
JOIN conversations c ON c.id = v.conversation_id
LEFT JOIN LATERAL (SELECT id FROM tickets WHERE conversation_id = v.conversation_id AND channel = 'web'
                   ORDER BY created_at, id LIMIT 1) t ON true
WHERE v.kind = 'link' AND v.secret = $1;

-- name: has_proven
SELECT EXISTS (SELECT FROM customer_identifiers WHERE customer_id = $1 AND trust = 'verified');

-- name: prove_conversation
-- Its turns start over: from the next on, what the customer proved counts.
UPDATE conversations SET trust = 'verified', epoch = epoch + 1 WHERE id = $1 AND trust = 'claimed';

-- name: use
UPDATE verifications SET used_at = coalesce(used_at, now()) WHERE id = $1;

-- name: customer_name
SELECT name_enc FROM customers WHERE id = $1;
