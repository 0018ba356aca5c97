-- name: seen
-- Of one e-mail's sender ($1) and thread ($2): how often its very text ($3) was answered before within $4 hours,
-- in the thread and anywhere, and how many messages came within the hour.
SELECT count(*) FILTER (WHERE thread_hash = $2 AND text_hash = $3 AND reply_id IS NOT NULL) AS repeated_in_thread,
       count(*) FILTER (WHERE sender_hash = $1 AND text_hash = $3 AND reply_id IS NOT NULL) AS repeated_by_sender,
       count(*) FILTER (WHERE thread_hash = $2 AND stored_at > now() - interval '1 hour') AS in_thread,
       count(*) FILTER (WHERE sender_hash = $1 AND stored_at > now() - interval '1 hour') AS by_sender
FROM messages
WHERE (sender_hash = $1 OR thread_hash = $2)
  AND stored_at > now() - make_interval(secs => greatest(1, $4::float8) * 3600)
  AND outcome IS DISTINCT FROM 'ignored';

-- name: note
UPDATE messages SET sender_hash = $2, thread_hash = $3, text_hash = $4 WHERE id = $1;
