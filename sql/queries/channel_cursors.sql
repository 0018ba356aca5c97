-- name: read
SELECT cursor, watch_expires, next_due, seen_at FROM channel_cursors WHERE channel = $1;

-- name: advance
-- Forward only: a late worker never takes the cursor back.
INSERT INTO channel_cursors (channel, cursor, seen_at) VALUES ($1, $2, now())
ON CONFLICT (channel) DO UPDATE SET
    cursor = greatest(coalesce(channel_cursors.cursor, '0')::numeric, excluded.cursor::numeric)::text, seen_at = now();

-- name: reset
-- After a bounded resync: the provider forgot the old cursor, so the new one may even be lower.
INSERT INTO channel_cursors (channel, cursor, seen_at) VALUES ($1, $2, now())
ON CONFLICT (channel) DO UPDATE SET cursor = excluded.cursor, seen_at = now();

-- name: set_watch
INSERT INTO channel_cursors (channel, watch_expires) VALUES ($1, $2)
ON CONFLICT (channel) DO UPDATE SET watch_expires = excluded.watch_expires;

-- name: set_due
INSERT INTO channel_cursors (channel, next_due) VALUES ($1, $2)
ON CONFLICT (channel) DO UPDATE SET next_due = excluded.next_due;

-- name: mark_degraded
INSERT INTO channel_cursors (channel, degraded_reason, degraded_since) VALUES ($1, $2, now())
ON CONFLICT (channel) DO UPDATE SET degraded_reason = excluded.degraded_reason,
                                    degraded_since = coalesce(channel_cursors.degraded_since, now());

-- name: mark_well
UPDATE channel_cursors SET degraded_reason = NULL, degraded_since = NULL
WHERE channel = $1 AND degraded_reason IS NOT NULL;

-- name: health
-- A watch is renewed daily with six days left: one about to end was not renewed for days.
SELECT channel, watch_expires,
       CASE WHEN degraded_reason IS NOT NULL THEN degraded_reason
            WHEN watch_expires <= now() THEN 'watch-expired'
            WHEN watch_expires < now() + interval '1 day' THEN 'watch-expires-soon' END AS degraded_reason,
       CASE WHEN degraded_reason IS NOT NULL THEN degraded_since
            WHEN watch_expires <= now() THEN watch_expires END AS degraded_since
FROM channel_cursors;

-- name: forget_watch
UPDATE channel_cursors SET watch_expires = NULL WHERE channel = $1 AND watch_expires IS NOT NULL;

-- name: listing_since
-- A day is as long as a missed message is still worth an answer; what came before us is not ours.
SELECT greatest(now() - interval '24 hours', cursor::timestamptz) FROM channel_cursors WHERE channel = 'whatsapp';
