-- name: route_of
SELECT route_id FROM deliveries WHERE id = $1;

-- name: lock_route
SELECT id FROM routes WHERE id = $1 FOR NO KEY UPDATE;

-- name: oldest_unfinished
-- Only a route's oldest unfinished delivery may be claimed.
SELECT d.id, d.status, d.attempt, d.claimed_until, d.next_at, d.unknown_since, d.draft_id, d.created_at, d.arrived_at,
       d.conversation_id, d.route_id, d.channel, d.author, d.held, d.template, m.customer_id, m.kind, m.trust,
       m.subject_enc, m.body_enc, m.received_at AS said_at,
       r.address_enc,
       coalesce(d.claimed_until > now(), false) AS claimed,
       coalesce(d.next_at > now(), false) AS early,
       d.created_at < now() - make_interval(secs => $2) AS too_old,
       coalesce(d.unknown_since < now() - make_interval(secs => $3), false) AS unknown_too_long,
       c.state, now() AS now
FROM deliveries d
JOIN messages m ON m.id = d.message_id
JOIN routes r ON r.id = d.route_id
JOIN conversations c ON c.id = d.conversation_id
WHERE d.route_id = $1 AND d.status IN ('queued', 'sending', 'unknown', 'deferred')
ORDER BY d.seq
LIMIT 1
FOR NO KEY UPDATE OF d;

-- name: claim
UPDATE deliveries SET status = 'sending', attempt = attempt + 1, provider_id = NULL,
                      claimed_until = now() + make_interval(secs => $2), next_at = NULL
WHERE id = $1
RETURNING attempt;

-- name: claim_judged
-- After a look that found nothing: only if nobody settled it meanwhile, as a status callback may.
UPDATE deliveries SET status = 'sending', attempt = attempt + 1, provider_id = NULL,
                      claimed_until = now() + make_interval(secs => $2), next_at = NULL
WHERE id = $1 AND attempt = $3 AND status = 'unknown'
RETURNING attempt;

-- name: claim_to_judge
UPDATE deliveries SET status = 'unknown', unknown_since = coalesce(unknown_since, now()),
                      claimed_until = now() + make_interval(secs => $2), next_at = NULL
WHERE id = $1;

-- name: answered_by
-- The customer's message an e-mail answers: the newest on the route of those that it ended, and not what came while it
-- was written; else the newest before ours, a robot's only where there is no other.
SELECT m.subject_enc, m.body_enc, m.details_enc, m.received_at
FROM messages m
JOIN (SELECT o.id, o.seq FROM messages o JOIN deliveries d ON d.message_id = o.id WHERE d.id = $2) ours ON m.seq < ours.seq
WHERE m.route_id = $1 AND m.author = 'customer'
ORDER BY coalesce(m.reply_id = ours.id, false) DESC, (m.outcome IS DISTINCT FROM 'ignored') DESC, m.seq DESC
LIMIT 1;

-- name: mailed_before
-- Mails of ours that went out on a route before one, oldest first, as many as References may name.
SELECT id FROM (
    SELECT o.id, o.seq FROM deliveries o JOIN deliveries d ON d.id = $2
    WHERE o.route_id = $1 AND o.seq < d.seq AND o.status IN ('sent', 'delivered', 'read')
    ORDER BY o.seq DESC LIMIT 20
) last ORDER BY seq;

-- name: taken_ids
-- What other deliveries to this customer are known by at the provider, as far as they can stand in its list beside
-- this one; whatever their route, since every notice has one of its own.
SELECT o.provider_id
FROM deliveries d
JOIN messages m ON m.id = d.message_id
JOIN messages om ON om.customer_id = m.customer_id
JOIN deliveries o ON o.message_id = om.id AND o.channel = d.channel
WHERE d.id = $1 AND o.id <> d.id AND o.provider_id IS NOT NULL
  AND coalesce(o.finished_at, now()) > d.created_at - interval '1 hour';

-- name: keep_draft
UPDATE deliveries SET draft_id = $3 WHERE id = $1 AND attempt = $2 AND status IN ('sending', 'unknown') RETURNING id;

-- name: finish
-- Statuses only move forward: a callback may have said `delivered` before the call returned.
UPDATE deliveries SET
    status = CASE WHEN status IN ('delivered', 'read') THEN status ELSE $3 END,
    provider_id = coalesce($4, provider_id), error_code = $5, finished_at = coalesce(finished_at, now()),
    claimed_until = NULL, next_at = NULL, unknown_since = NULL
WHERE id = $1 AND attempt = $2 AND status IN ('sending', 'unknown', 'sent', 'delivered', 'read')
RETURNING conversation_id, channel, status, arrived_at, extract(epoch FROM now() - arrived_at)::float8 AS took_s;

-- name: defer
UPDATE deliveries SET status = CASE WHEN $4 THEN 'unknown' ELSE 'deferred' END, next_at = now() + make_interval(secs => $3),
                      unknown_since = CASE WHEN $4 THEN coalesce(unknown_since, now()) ELSE NULL END,
                      claimed_until = NULL, error_code = $5
WHERE id = $1 AND attempt = $2 AND status IN ('sending', 'unknown')
RETURNING id;

-- name: fail
UPDATE deliveries d SET status = 'failed', error_code = $2, finished_at = now(), claimed_until = NULL, next_at = NULL,
                        held = false
FROM messages m
WHERE d.id = $1 AND m.id = d.message_id AND d.status IN ('queued', 'sending', 'unknown', 'deferred', 'sent')
RETURNING d.conversation_id, d.channel, m.kind, d.asks_for;

-- name: next_on_route
SELECT id FROM deliveries
WHERE route_id = $1 AND status IN ('queued', 'deferred', 'unknown', 'sending')
  AND coalesce(next_at, now()) <= now()
ORDER BY seq
LIMIT 1;

-- name: status_row
SELECT d.id, d.status, d.attempt, d.provider_id, d.error_code, d.route_id, d.conversation_id, d.channel
FROM deliveries d WHERE d.id = $1 FOR NO KEY UPDATE;

-- name: apply_status
UPDATE deliveries SET status = $2, provider_id = coalesce(provider_id, $4), error_code = coalesce($3, error_code),
                      finished_at = coalesce(finished_at, now()), claimed_until = NULL, next_at = NULL
WHERE id = $1;

-- name: try_again
-- The provider took it and then said: not now. The next attempt is another message there; until then this one ($4) is
-- known by its id.
UPDATE deliveries SET status = 'deferred', provider_id = coalesce(provider_id, $4), error_code = $2, claimed_until = NULL,
                      unknown_since = NULL, finished_at = NULL, next_at = now() + make_interval(secs => $3)
WHERE id = $1 AND status IN ('sending', 'unknown', 'sent')
RETURNING route_id;

-- name: supersede
-- The agent's replies that no provider was asked to send yet: a person speaks now.
UPDATE deliveries d SET status = 'superseded', finished_at = now(), held = false
FROM messages m
WHERE d.conversation_id = $1 AND d.author = 'agent' AND d.status IN ('queued', 'deferred')
  AND m.id = d.message_id AND m.kind = 'message'
RETURNING d.message_id;

-- name: reopen_superseded
-- What a superseded reply answered was not answered: it waits for the person.
UPDATE messages SET outcome = 'escalated', outcome_reason = 'takeover', outcome_at = now(), reply_id = NULL
WHERE reply_id = ANY($1::uuid[])
RETURNING id;

-- name: to_person
UPDATE conversations SET state = 'human', epoch = epoch + 1, handed_over_at = now(),
                         lease_token = NULL, lease_event = NULL, lease_expires = NULL
WHERE id = $1 AND state <> 'human'
RETURNING id;

-- name: escalate_ticket
-- A closed one too: a customer who never got the answer is not done with.
UPDATE tickets SET status = 'escalated', reason = $2, updated_at = now(), closed_at = NULL
WHERE conversation_id = $1;

-- name: escalate_rest
-- The agent is silent from here on: what it had not answered waits for the person too.
UPDATE messages SET outcome = 'escalated', outcome_reason = 'with-person', outcome_at = now()
WHERE conversation_id = $1 AND author = 'customer' AND outcome IS NULL;

-- name: due
-- For the sweep: one delivery a route whose time has come, the oldest unfinished.
SELECT DISTINCT ON (route_id) id, conversation_id
FROM deliveries
WHERE status IN ('queued', 'sending', 'unknown', 'deferred')
  AND CASE status WHEN 'queued' THEN created_at < now() - interval '30 seconds'
                  WHEN 'sending' THEN claimed_until < now()
                  ELSE coalesce(next_at, now()) <= now() AND coalesce(claimed_until, now()) <= now() END
ORDER BY route_id, seq;

-- name: to_reroute
-- A delivery that its channel cannot carry, locked, if that is still open and attempt $3 is still its last.
SELECT d.id, d.status, d.conversation_id, d.route_id, d.channel, d.author, d.arrived_at, d.created_at, d.held,
       d.template, d.asks_for, d.created_at < now() - make_interval(secs => $2) AS too_old,
       coalesce(d.next_at <= now(), true) AS over, m.id AS message_id, m.customer_id, m.kind, m.trust, m.handoff, m.body_enc, r.address_enc
FROM deliveries d
JOIN messages m ON m.id = d.message_id
JOIN routes r ON r.id = d.route_id
WHERE d.id = $1 AND d.attempt = coalesce($3, d.attempt)
  AND d.status IN ('queued', 'sending', 'unknown', 'deferred', 'sent')
FOR NO KEY UPDATE OF d;

-- name: hold
-- Until the customer writes back, or the delivery is too old ($2 seconds after it was made).
UPDATE deliveries SET status = 'deferred', held = true, error_code = $3, claimed_until = NULL, unknown_since = NULL,
                      next_at = created_at + make_interval(secs => $2)
WHERE id = $1;

-- name: due_now
UPDATE deliveries SET status = 'deferred', claimed_until = NULL, unknown_since = NULL, next_at = now() WHERE id = $1;

-- name: mark_template
UPDATE deliveries SET template = $2::jsonb, asks_for = $3 WHERE id = $1;

-- name: copy_message
-- The same words once more, for another way to the customer.
INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, subject_enc, body_enc, handoff,
                      received_at)
SELECT $2, conversation_id, customer_id, $3, $4, author, trust, $5, $6, handoff, now() FROM messages WHERE id = $1;

-- name: copy_delivery
INSERT INTO deliveries (id, message_id, conversation_id, route_id, channel, author, arrived_at)
SELECT $2, $3, conversation_id, $4, $5, author, arrived_at FROM deliveries WHERE id = $1;

-- name: rerouted
UPDATE deliveries SET status = 'rerouted', rerouted_to = $2, error_code = $3, held = false, claimed_until = NULL,
                      next_at = NULL, finished_at = coalesce(finished_at, now())
WHERE id = $1;

-- name: answered_elsewhere
-- What the message answered is answered by its copy.
UPDATE messages SET reply_id = $2 WHERE reply_id = $1;

-- name: lock_conversation_of
-- Before the delivery, as every act on a conversation does.
SELECT c.id FROM conversations c JOIN deliveries d ON d.conversation_id = c.id WHERE d.id = $1
FOR NO KEY UPDATE OF c;
