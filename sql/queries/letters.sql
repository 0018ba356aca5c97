-- name: verified_email
-- The address a customer confirmed last, and their name.
SELECT i.value_enc, c.name_enc
FROM customer_identifiers i JOIN customers c ON c.id = i.customer_id
WHERE i.customer_id = $1 AND i.kind = 'email' AND i.trust = 'verified'
ORDER BY i.id DESC
LIMIT 1;

-- name: insert_letter
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, subject_enc, body_enc,
                      received_at)
VALUES ($1, $2, $3, $4, 'email', 'agent', 'verified', $5, $6, now());

-- name: offer
INSERT INTO long_answers (id, conversation_id, message_id, text_enc, language) VALUES ($1, $2, $3, $4, $5);

-- name: lapse
-- An offer stands until the next thing that we say on WhatsApp. Its customer's, not its conversation's: a yes may
-- come to another one, such as after a link.
UPDATE long_answers SET state = 'lapsed', changed_at = now()
WHERE conversation_id IN (SELECT o.id FROM conversations o JOIN conversations c USING (customer_id) WHERE c.id = $1)
  AND state = 'offered';

-- name: accept
UPDATE long_answers SET state = 'wanted', changed_at = now()
WHERE conversation_id IN (SELECT o.id FROM conversations o JOIN conversations c USING (customer_id) WHERE c.id = $1)
  AND state = 'offered';

-- name: accept_past
-- The customer's newest, which lapsed when we said something else.
UPDATE long_answers SET state = 'wanted', changed_at = now()
WHERE state = 'lapsed'
  AND id = (SELECT l.id FROM long_answers l JOIN conversations o ON o.id = l.conversation_id
            JOIN conversations c USING (customer_id) WHERE c.id = $1 ORDER BY l.created_at DESC LIMIT 1);

-- name: past_offer
-- What became of the customer's newest offer, if that was delivered and is not $2 days old; null while it stands.
SELECT CASE WHEN l.state <> 'offered' AND l.created_at > now() - make_interval(days => $2::int) THEN l.state END AS state
FROM long_answers l JOIN conversations o ON o.id = l.conversation_id
JOIN conversations c USING (customer_id)
WHERE c.id = $1
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = l.message_id AND d.status IN ('failed', 'superseded'))
ORDER BY l.created_at DESC
LIMIT 1;

-- name: is_offered
SELECT EXISTS (SELECT FROM long_answers WHERE state = 'offered' AND
               conversation_id IN (SELECT o.id FROM conversations o JOIN conversations c USING (customer_id) WHERE c.id = $1)) AS offered,
       EXISTS (SELECT FROM customer_identifiers i JOIN conversations c ON c.customer_id = i.customer_id
               WHERE c.id = $1 AND i.kind = 'email' AND i.trust = 'verified') AS mailable;

-- name: wanted
SELECT l.id, l.text_enc, l.language, l.conversation_id, o.customer_id
FROM long_answers l JOIN conversations o ON o.id = l.conversation_id
JOIN conversations c ON c.customer_id = o.customer_id
WHERE c.id = $1 AND l.state = 'wanted'
ORDER BY l.created_at
FOR NO KEY UPDATE OF l;

-- name: sent
UPDATE long_answers SET state = 'sent', delivery_id = $2, changed_at = now() WHERE id = $1;

-- name: due
-- Wanted, and by now there is a confirmed address to send them to.
SELECT DISTINCT l.conversation_id
FROM long_answers l
JOIN conversations c ON c.id = l.conversation_id
WHERE l.state = 'wanted' AND l.changed_at > now() - interval '30 days'
  AND EXISTS (SELECT FROM customer_identifiers i
              WHERE i.customer_id = c.customer_id AND i.kind = 'email' AND i.trust = 'verified')
LIMIT 100;

-- name: insert_delivery
INSERT INTO deliveries (id, message_id, conversation_id, route_id, channel, author, arrived_at)
VALUES ($1, $2, $3, $4, 'email', 'agent', now());
