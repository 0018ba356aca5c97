-- name: keep
-- An event that fails again after its replay waits again. A copy that does not carry our signature ($11) takes
-- nothing from one that does.
INSERT INTO dead_letters (id, event_id, event_type, source, topic, key, attributes, data_enc, cause, error_code)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10)
ON CONFLICT (topic, event_id, source) DO UPDATE SET
    status = 'waiting', cause = excluded.cause, error_code = excluded.error_code,
    attributes = CASE WHEN $11 THEN excluded.attributes ELSE dead_letters.attributes END,
    data_enc = CASE WHEN $11 THEN excluded.data_enc ELSE dead_letters.data_enc END,
    failures = dead_letters.failures + CASE WHEN dead_letters.status = 'waiting' THEN 0 ELSE 1 END
RETURNING id;

-- name: list
SELECT id, event_id, event_type, source, topic, cause, error_code, failures, status, note, arrived_at, decided_at
FROM dead_letters
WHERE ($1::text IS NULL OR status = $1)
ORDER BY arrived_at DESC
LIMIT $2;

-- name: show
SELECT id, event_id, event_type, source, topic, key, attributes, data_enc, cause, error_code, failures, status, note,
       arrived_at, decided_at
FROM dead_letters
WHERE id::text = $1 OR event_id = $1
ORDER BY arrived_at DESC
LIMIT 1
FOR NO KEY UPDATE;

-- name: decide
UPDATE dead_letters SET status = $2, note = $3, decided_at = now() WHERE id = $1;

-- name: due_conversations
-- Messages without outcome that nobody works on: the lease is free or ran out.
SELECT DISTINCT m.conversation_id, c.customer_id
FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.author = 'customer' AND m.outcome IS NULL AND m.stored_at < now() - make_interval(secs => $1)
  AND c.state = 'agent' AND (c.lease_token IS NULL OR c.lease_expires < now())
LIMIT 500;

-- name: due_channels
UPDATE channel_cursors SET next_due = now() + make_interval(secs => $1)
WHERE next_due <= now()
RETURNING channel;

-- name: sweep_lock
SELECT pg_try_advisory_xact_lock(4281701);
