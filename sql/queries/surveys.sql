-- How content a customer is, asked once a matter: shared/conversations/surveys.py.

-- name: about
-- Whom to ask: where they were answered last, and what speaks against it. waits: for a person, who has not answered.
SELECT c.customer_id, c.trust AS proven, m.route_id, coalesce(m.channel, c.last_channel) AS channel, m.trust,
       r.address_enc,
       EXISTS (SELECT FROM surveys s JOIN tickets t ON t.id = s.ticket_id WHERE t.conversation_id = c.id) AS asked,
       EXISTS (SELECT FROM ratings g WHERE g.conversation_id = c.id) AS rated,
       EXISTS (SELECT FROM messages o JOIN deliveries d ON d.message_id = o.id
               WHERE o.conversation_id = c.id AND o.author <> 'customer' AND o.kind = 'message' AND NOT o.handoff
                 AND d.status IN ('sent', 'delivered', 'read')) AS answered,
       EXISTS (SELECT FROM messages w
               WHERE w.conversation_id = c.id AND w.author = 'customer' AND w.outcome = 'escalated'
                 AND NOT EXISTS (SELECT FROM messages p WHERE p.conversation_id = c.id AND p.author = 'human'
                                 AND p.seq > w.seq)) AS waits
FROM conversations c
LEFT JOIN LATERAL (SELECT route_id, channel, trust FROM messages
                   WHERE conversation_id = c.id AND author = 'customer' AND outcome IN ('replied', 'escalated')
                   ORDER BY seq DESC LIMIT 1) m ON true
LEFT JOIN routes r ON r.id = m.route_id
WHERE c.id = $1;

-- name: latest_texts
-- What the customer wrote last on a route: its language is theirs.
SELECT body_enc FROM messages
WHERE route_id = $1 AND author = 'customer' AND coalesce(outcome, '') <> 'ignored'
ORDER BY seq DESC
LIMIT 3;

-- name: own_ticket
-- Of a conversation's tickets the page's own, else the one that was closed.
SELECT id FROM tickets WHERE conversation_id = $1 AND id = ANY(ARRAY[$2, $3]::text[]) ORDER BY (id = $2) DESC LIMIT 1;

-- name: asked
INSERT INTO surveys (ticket_id, delivery_id, channel, language, secret, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6));

-- name: open_on
-- The question that a number written at $2 on a route (its key: $1) answers: the last that was said there, if it is out.
SELECT s.ticket_id
FROM routes r
JOIN deliveries d ON d.route_id = r.id AND d.status IN ('sending', 'unknown', 'sent', 'delivered', 'read')
JOIN surveys s ON s.delivery_id = d.id AND s.channel = 'whatsapp' AND s.expires_at > now()
JOIN messages q ON q.id = d.message_id
WHERE r.channel = 'whatsapp' AND r.key = $1 AND s.asked_at < $2::timestamptz + interval '5 seconds'
  AND NOT EXISTS (SELECT FROM messages m
                  WHERE m.route_id = r.id AND m.seq > q.seq AND m.kind = 'message'
                    AND coalesce(m.outcome, '') <> 'ignored')
ORDER BY s.asked_at DESC
LIMIT 1;

-- name: by_secret
SELECT s.ticket_id, s.language, t.customer_id, s.expires_at <= now() AS expired
FROM surveys s JOIN tickets t ON t.id = s.ticket_id
WHERE s.secret = $1;

-- name: of_ticket
SELECT s.channel, s.asked_at, d.status AS delivery
FROM surveys s JOIN deliveries d ON d.id = s.delivery_id
WHERE s.ticket_id = $1;
