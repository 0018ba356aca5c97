-- name: to_copy
-- An answer on a ticket's page whose customer proved that the address is theirs: in this very conversation, by a
-- site's signature or the link in our mail.
SELECT m.id, m.customer_id, m.conversation_id, m.author, m.trust, m.body_enc, r.address_enc
FROM deliveries d
JOIN messages m ON m.id = d.message_id
JOIN routes r ON r.id = d.route_id
JOIN conversations c ON c.id = m.conversation_id
WHERE d.id = $1 AND d.channel = 'web' AND d.status IN ('delivered', 'read') AND m.kind = 'message'
  AND c.trust = 'verified';

-- name: is_confirmed
SELECT EXISTS (SELECT FROM customer_identifiers
               WHERE kind = 'email' AND trust = 'verified' AND lookup = $2 AND customer_id = $1);

-- name: first_subject
-- What the page's first message was about.
SELECT subject_enc FROM messages WHERE channel = 'web' AND provider_message_id = $1;

-- name: thread
-- The route by which a page's answers are mailed; it goes on with the conversation that the page is of now.
INSERT INTO routes (id, channel, key, customer_id, conversation_id, address_enc) VALUES ($1, 'email', $2, $3, $4, $5)
ON CONFLICT (channel, key) DO UPDATE SET customer_id = $3, conversation_id = $4, address_enc = $5
RETURNING id;

-- name: insert_copy
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, kind, trust, subject_enc, body_enc,
                      copy_of, received_at)
VALUES ($1, $2, $3, $4, 'email', $5, 'copy', $6, $7, $8, $9, now())
ON CONFLICT (copy_of) WHERE copy_of IS NOT NULL DO NOTHING
RETURNING id;

-- name: insert_delivery
INSERT INTO deliveries (id, message_id, conversation_id, route_id, channel, author, arrived_at)
VALUES ($1, $2, $3, $4, 'email', $5, now());
