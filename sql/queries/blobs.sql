-- name: keep
INSERT INTO blobs (id, key_enc, data_enc, size) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING;

-- name: lock_orphan
SELECT key_enc FROM blobs WHERE id = $1 AND customer_id IS NULL FOR UPDATE;

-- name: adopt
UPDATE blobs SET customer_id = $2, key_enc = $3 WHERE id = $1;

-- name: read
SELECT customer_id, key_enc, data_enc FROM blobs WHERE id = $1;

-- name: forget_orphans
-- Whose message never came: longer than any topic or dead letter keeps one.
DELETE FROM blobs WHERE customer_id IS NULL AND created_at < now() - make_interval(days => $1::int);

-- name: store_attachment
INSERT INTO attachments (id, message_id, customer_id, ordinal, name_enc, content_type, size, sha256, pages, text_enc,
                         state, reason, ref_enc, blob_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: attachments_of
SELECT id, message_id, ordinal, name_enc, content_type, size, sha256, pages, text_enc, state, reason, ref_enc, blob_id
FROM attachments WHERE message_id = ANY($1::uuid[])
ORDER BY message_id, ordinal;
