-- name: open_route
INSERT INTO routes (id, channel, key, customer_id, conversation_id, address_enc) VALUES ($1, $2, $3, $4, $5, $6);

-- name: insert_notice
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, kind, trust, subject_enc, body_enc,
                      received_at)
VALUES ($1, $2, $3, $4, $5, 'agent', 'notice', $6, $7, $8, now());

-- name: insert_delivery
INSERT INTO deliveries (id, message_id, conversation_id, route_id, channel, author, arrived_at)
VALUES ($1, $2, $3, $4, $5, 'agent', now());
