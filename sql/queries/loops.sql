-- name: seen
-- Of one e-mail's sender ($1) and thread ($2): how often its very text ($3) was answered before within $4 hours,
-- in the thread and anywhere; how many messages came within the hour and the day; and how many of the sender's
-- were answered, or still may be.
SELECT count(*) FILTER (WHERE thread_hash = $2 AND text_hash = $3 AND answered AND lately) AS repeated_in_thread,
       count(*) FILTER (WHERE sender_hash = $1 AND text_hash = $3 AND answered AND lately) AS repeated_by_sender,
       count(*) FILTER (WHERE thread_hash = $2 AND this_hour) AS in_thread,
       count(*) FILTER (WHERE thread_hash = $2 AND today) AS in_thread_today,
       count(*) FILTER (WHERE sender_hash = $1 AND this_hour) AS by_sender,
       count(*) FILTER (WHERE sender_hash = $1 AND (answered OR waits) AND this_hour) AS answered,
       count(*) FILTER (WHERE sender_hash = $1 AND (answered OR waits) AND today) AS answered_today
FROM (
    SELECT sender_hash, thread_hash, text_hash, reply_id IS NOT NULL AS answered, outcome IS NULL AS waits,
           stored_at > now() - make_interval(secs => greatest(1, $4::float8) * 3600) AS lately,
           stored_at > now() - interval '1 hour' AS this_hour,
           stored_at > now() - interval '1 day' AS today
    FROM messages
    WHERE (sender_hash = $1 OR thread_hash = $2)
      AND stored_at > now() - make_interval(secs => greatest(24, $4::float8) * 3600)
      AND outcome IS DISTINCT FROM 'ignored'
) recent;

-- name: answered
-- What the answered e-mails of a sender ($1) or in a thread ($2) were like, of the last $3 hours; the newest.
SELECT text_likeness
FROM messages
WHERE (sender_hash = $1 OR thread_hash = $2)
  AND stored_at > now() - make_interval(secs => greatest(1, $3::float8) * 3600)
  AND text_likeness IS NOT NULL AND reply_id IS NOT NULL
ORDER BY stored_at DESC
LIMIT 200;

-- name: note
UPDATE messages SET sender_hash = $2, thread_hash = $3, text_hash = $4, text_likeness = $5 WHERE id = $1;
