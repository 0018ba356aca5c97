-- name: messages
-- A ticket's page: the messages of these routes alone, ours once they are out. Whoever only claims to be somebody
-- ($2 is false) is shown nothing that was said to or by a verified sender.
SELECT m.id, m.provider_message_id, m.author, m.body_enc, m.received_at, m.outcome, c.state
FROM routes r
JOIN messages m ON m.route_id = r.id
JOIN conversations c ON c.id = m.conversation_id
WHERE r.channel = 'web' AND r.key = ANY($1::bytea[]) AND m.kind = 'message' AND ($2 OR m.trust <> 'verified')
  AND (m.author = 'customer' OR EXISTS (
      SELECT FROM deliveries d WHERE d.message_id = m.id AND d.status IN ('sent', 'delivered', 'read')))
ORDER BY m.seq;

-- name: file
-- One file of the same page.
SELECT a.name_enc, a.content_type, a.blob_id
FROM attachments a
JOIN messages m ON m.id = a.message_id
JOIN routes r ON r.id = m.route_id
WHERE a.id = $3 AND a.state = 'kept'
  AND r.channel = 'web' AND r.key = ANY($1::bytea[]) AND m.kind = 'message' AND ($2 OR m.trust <> 'verified')
  AND (m.author = 'customer' OR EXISTS (
      SELECT FROM deliveries d WHERE d.message_id = m.id AND d.status IN ('sent', 'delivered', 'read')));
