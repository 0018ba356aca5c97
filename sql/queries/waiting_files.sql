-- name: waiting
-- Files of a conversation's WhatsApp messages that are still at Twilio and may be asked for now.
SELECT a.id FROM attachments a JOIN messages m ON m.id = a.message_id
WHERE m.conversation_id = $1 AND m.channel = 'whatsapp' AND a.state = 'waiting' AND coalesce(a.next_at, now()) <= now()
ORDER BY m.seq, a.ordinal
LIMIT 20;

-- name: claim
-- Nobody else asks for it before $2 seconds times four for each attempt are over.
UPDATE attachments SET attempts = attempts + 1, next_at = now() + make_interval(secs => $2 * power(4, attempts))
WHERE id = $1 AND state = 'waiting' AND coalesce(next_at, now()) <= now()
RETURNING id, customer_id, name_enc, content_type, ref_enc, attempts;

-- name: kept
UPDATE attachments SET state = 'kept', reason = NULL, name_enc = $2, content_type = $3, size = $4, sha256 = $5,
                       pages = $6, text_enc = $7, blob_id = $8
WHERE id = $1 AND state = 'waiting'
RETURNING id;

-- name: not_kept
-- For good (refused, gone), or only not now (waiting): the reason is there for people to see.
UPDATE attachments SET state = $2, reason = $3 WHERE id = $1 AND state = 'waiting';

-- name: due
-- Conversations with files whose time has come again.
SELECT DISTINCT m.conversation_id FROM attachments a JOIN messages m ON m.id = a.message_id
WHERE a.state = 'waiting' AND m.channel = 'whatsapp'
  AND coalesce(a.next_at, m.stored_at + interval '1 minute') <= now()
LIMIT 100;
