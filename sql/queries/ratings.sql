-- name: owner
SELECT customer_id FROM tickets WHERE id = $1 FOR KEY SHARE;

-- name: rate
-- Once a ticket: the last word counts.
INSERT INTO ratings (ticket_id, conversation_id, customer_id, channel, score, comment_enc)
SELECT t.id, t.conversation_id, t.customer_id, $2, $3, $4 FROM tickets t WHERE t.id = $1
ON CONFLICT (ticket_id) DO UPDATE SET
    score = excluded.score, channel = excluded.channel, comment_enc = excluded.comment_enc, customer_id = excluded.customer_id,
    conversation_id = excluded.conversation_id, rated_at = now();

-- name: of_ticket
SELECT score, channel, comment_enc, rated_at FROM ratings WHERE ticket_id = $1;
