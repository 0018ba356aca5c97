-- name: of_customer
-- The customer's verified messages over all channels, newest first, and what was said in this conversation ($4)
-- before the link in our mail proved who they are. Ours count once they are out or on their way; superseded ones
-- were never said.
SELECT m.id, m.conversation_id, m.author, m.channel, m.subject_enc, m.body_enc, m.received_at
FROM messages m
LEFT JOIN deliveries d ON d.message_id = m.id
WHERE m.customer_id = $1 AND (m.trust = 'verified' OR m.conversation_id = $4 AND m.trust = 'claimed')
  AND m.kind = 'message' AND m.id <> ALL($2::uuid[])
  AND coalesce(m.outcome, '') <> 'ignored' AND m.withdrawn_at IS NULL
  AND coalesce(d.status, '') NOT IN ('superseded', 'failed', 'rerouted')
ORDER BY m.seq DESC
LIMIT $3;

-- name: of_conversation
-- For a turn that is not verified: nothing that was said to or by somebody who proved who they are, for whoever
-- typed an address may still hold the page of a ticket whose owner followed the link.
SELECT m.id, m.conversation_id, m.author, m.channel, m.subject_enc, m.body_enc, m.received_at
FROM messages m
LEFT JOIN deliveries d ON d.message_id = m.id
WHERE m.conversation_id = $1 AND m.trust <> 'verified' AND m.kind = 'message' AND m.id <> ALL($2::uuid[])
  AND coalesce(m.outcome, '') <> 'ignored' AND m.withdrawn_at IS NULL
  AND coalesce(d.status, '') NOT IN ('superseded', 'failed', 'rerouted')
ORDER BY m.seq DESC
LIMIT $3;

-- name: moods
-- How the customer sounded in this conversation, newest first.
SELECT mood FROM messages
WHERE conversation_id = $1 AND author = 'customer' AND mood IS NOT NULL AND withdrawn_at IS NULL
ORDER BY seq DESC
LIMIT $2;
