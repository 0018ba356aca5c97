-- name: wrote
-- The customer wrote at $2, unless that is null (a reaction opens no window).
INSERT INTO whatsapp_numbers (lookup, last_wrote_at) VALUES ($1, $2)
ON CONFLICT (lookup) DO UPDATE SET last_wrote_at = greatest(whatsapp_numbers.last_wrote_at, excluded.last_wrote_at);

-- name: is_stopped
SELECT stopped_at IS NOT NULL FROM whatsapp_numbers WHERE lookup = $1;

-- name: stop
-- Whether it was not stopped already.
INSERT INTO whatsapp_numbers AS n (lookup, stopped_at, stop_reason) VALUES ($1, now(), $2)
ON CONFLICT (lookup) DO UPDATE SET stopped_at = now(), stop_reason = $2 WHERE n.stopped_at IS NULL
RETURNING true;

-- name: commanded
-- Whether no later STOP or START is known than this one, said at $2; a STOP ($3) counts too if it was said as late.
UPDATE whatsapp_numbers SET commanded_at = $2
WHERE lookup = $1
  AND (commanded_at IS NULL OR commanded_at < $2 OR ($3 AND commanded_at = $2))
RETURNING true;

-- name: say_farewell
UPDATE whatsapp_numbers SET farewell = $2 WHERE lookup = $1;

-- name: start
UPDATE whatsapp_numbers SET stopped_at = NULL, stop_reason = NULL, farewell = NULL WHERE lookup = $1;

-- name: welcome_back
-- The agent's again, if a person was asked for nothing but the block ($2: the codes of what it stopped), has not
-- written since and was not told to see to it. What waits for a person for another reason keeps the conversation theirs.
UPDATE conversations c SET state = 'agent', epoch = epoch + 1, last_activity_at = now()
WHERE c.id = $1 AND c.state = 'human' AND c.trust <> 'held'
  AND EXISTS (SELECT FROM tickets t WHERE t.conversation_id = c.id AND t.status = 'escalated')
  AND NOT EXISTS (SELECT FROM tickets t WHERE t.conversation_id = c.id AND t.status = 'escalated'
                  AND (t.assigned_to IS NOT NULL
                       OR coalesce(t.reason, '') <> ALL (SELECT 'delivery-failed:' || code FROM unnest($2::text[]) code)))
  AND NOT EXISTS (SELECT FROM messages p
                  WHERE p.conversation_id = c.id AND p.author = 'human' AND p.seq >
                        (SELECT max(m.seq) FROM messages m JOIN deliveries d ON d.message_id = m.id
                         WHERE d.conversation_id = c.id AND d.status = 'failed' AND d.error_code = ANY($2::text[])
                           AND d.author = 'agent' AND m.kind = 'message'))
  AND NOT EXISTS (SELECT FROM messages m
                  WHERE m.conversation_id = c.id AND m.author = 'customer' AND m.outcome = 'escalated'
                    AND m.withdrawn_at IS NULL AND m.outcome_reason IS DISTINCT FROM 'with-person'
                    AND NOT EXISTS (SELECT FROM messages p
                                    WHERE p.conversation_id = c.id AND p.author = 'human' AND p.seq > m.seq))
RETURNING c.id;

-- name: reopen_stopped
-- What nobody answered: what waited for the person, and what had an answer that the block ($2) stopped.
UPDATE messages m SET outcome = NULL, outcome_reason = NULL, outcome_at = NULL, attempts = 0, reply_id = NULL
WHERE m.conversation_id = $1 AND m.author = 'customer' AND m.trust <> 'held' AND m.withdrawn_at IS NULL
  AND (m.outcome = 'escalated'
       OR m.outcome = 'replied' AND EXISTS (SELECT FROM deliveries d
                                            WHERE d.message_id = m.reply_id AND d.status = 'failed'
                                              AND d.error_code = ANY($2::text[])))
  AND NOT EXISTS (SELECT FROM messages p
                  WHERE p.conversation_id = $1 AND p.author = 'human' AND p.seq > m.seq);

-- name: open_stopped_tickets
UPDATE tickets SET status = 'open', reason = NULL, updated_at = now()
WHERE conversation_id = $1 AND status = 'escalated';

-- name: reach
-- What may be sent to a number now: $2 is how long a window lasts, in seconds; $3 the delivery.
SELECT stopped_at IS NOT NULL AND farewell IS DISTINCT FROM $3::uuid AS stopped,
       coalesce(last_wrote_at > now() - make_interval(secs => $2)
                AND last_wrote_at > coalesce(closed_at, '-infinity'), false) AS open,
       coalesce(asked_at > coalesce(last_wrote_at, '-infinity') AND asked_at > now() - make_interval(secs => $2), false)
           AS asked
FROM whatsapp_numbers WHERE lookup = $1;

-- name: closed
-- WhatsApp refused free text at $2's delivery: a later message of the customer opens the window again.
INSERT INTO whatsapp_numbers (lookup, closed_at) SELECT $1, created_at FROM deliveries WHERE id = $2
ON CONFLICT (lookup) DO UPDATE SET closed_at = greatest(whatsapp_numbers.closed_at, excluded.closed_at);

-- name: asked
UPDATE whatsapp_numbers SET asked_at = now() WHERE lookup = $1;

-- name: release_held
-- The customer wrote back: what waited for that is due.
UPDATE deliveries SET held = false, next_at = now() WHERE route_id = $1 AND held
RETURNING id;

-- name: withdraw
-- The customer's own message $2 on this route, taken back or replaced; nobody need answer it any more.
UPDATE messages SET withdrawn_at = coalesce(withdrawn_at, now()),
                    outcome_at = CASE WHEN outcome IS NULL THEN now() ELSE outcome_at END,
                    outcome_reason = CASE WHEN outcome IS NULL THEN $3 ELSE outcome_reason END,
                    outcome = coalesce(outcome, 'ignored')
WHERE channel = 'whatsapp' AND provider_message_id = $2 AND route_id = $1 AND author = 'customer';

-- name: withdraws
-- Message $1 withdraws $2, which may come later.
UPDATE messages SET withdraws = $2 WHERE id = $1;

-- name: withdrawn_by
-- Whether message $2 on this route was taken back, or replaced, before it came.
SELECT CASE WHEN outcome_reason = 'deleted' THEN 'deleted' ELSE 'edited' END FROM messages
WHERE route_id = $1 AND withdraws = $2 AND author = 'customer'
ORDER BY seq DESC
LIMIT 1;

-- name: latest_text
-- What this customer wrote last on this route: its language is theirs.
SELECT body_enc FROM messages
WHERE route_id = $1 AND author = 'customer' AND coalesce(outcome, '') <> 'ignored' AND id <> $2
ORDER BY seq DESC
LIMIT 1;

-- name: spoken_of
-- Messages by Twilio's ids, of this customer and of ours to them: what is replied to.
SELECT provider_message_id AS sid, author, body_enc FROM messages
WHERE channel = 'whatsapp' AND customer_id = $1 AND provider_message_id = ANY($2::text[])
UNION ALL
SELECT d.provider_id, m.author, m.body_enc FROM deliveries d JOIN messages m ON m.id = d.message_id
WHERE d.channel = 'whatsapp' AND m.customer_id = $1 AND d.provider_id = ANY($2::text[]);

-- name: seen_since
-- Twilio's ids of what is stored already, newest first: a listing need not hand them on again.
SELECT provider_message_id FROM messages
WHERE channel = 'whatsapp' AND provider_message_id IS NOT NULL AND received_at >= $1
ORDER BY received_at DESC
LIMIT $2;

-- name: called_back
-- Whether these messages ($2) are the first that the customer wrote on this route after a template asked for a word.
SELECT EXISTS (
    SELECT FROM deliveries t JOIN deliveries h ON h.id = t.asks_for
    WHERE h.route_id = $1 AND t.created_at > now() - interval '2 days'
      AND NOT EXISTS (SELECT FROM messages m
                      WHERE m.route_id = $1 AND m.author = 'customer' AND m.stored_at > t.created_at
                        AND coalesce(m.outcome, '') <> 'ignored' AND m.id <> ALL($2::uuid[])));
