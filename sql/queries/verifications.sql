-- name: lock_address
-- Two first messages that give one address wait for each other here, so that one mail goes there.
SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 1));

-- name: mailed_lately
-- Of a link, `lookup` is of the mailbox: the address without its tag.
SELECT EXISTS (
    SELECT FROM verifications
    WHERE kind = 'link' AND identifier_kind = 'email' AND lookup = $1 AND created_at > now() - interval '1 day'
);

-- name: mailed_in_all
SELECT count(*) FROM verifications WHERE kind = 'link' AND created_at > now() - interval '1 hour';

-- name: create
INSERT INTO verifications (id, kind, customer_id, conversation_id, identifier_kind, lookup, value_enc, secret,
                           delivery_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10));

-- name: find_link
SELECT v.id, v.customer_id, v.conversation_id, v.value_enc, v.used_at, v.expires_at <= now() AS expired,
       c.state, t.id AS ticket_id
FROM verifications v
JOIN conversations c ON c.id = v.conversation_id
LEFT JOIN LATERAL (SELECT id FROM tickets WHERE conversation_id = v.conversation_id AND channel = 'web'
                   ORDER BY created_at, id LIMIT 1) t ON true
WHERE v.kind = 'link' AND v.secret = $1;

-- name: has_proven
SELECT EXISTS (SELECT FROM customer_identifiers WHERE customer_id = $1 AND trust = 'verified');

-- name: prove_conversation
-- Its turns start over: from the next on, what the customer proved counts.
UPDATE conversations SET trust = 'verified', epoch = epoch + 1 WHERE id = $1 AND trust = 'claimed';

-- name: use
UPDATE verifications SET used_at = coalesce(used_at, now()) WHERE id = $1;

-- name: customer_name
SELECT name_enc FROM customers WHERE id = $1;

-- name: asked_lately
-- How often a code was asked for by this customer, and for this address: within the hour and the day.
SELECT count(*) FILTER (WHERE customer_id = $1 AND created_at > now() - interval '1 hour') AS asker_hour,
       count(*) FILTER (WHERE customer_id = $1) AS asker_day,
       count(*) FILTER (WHERE identifier_kind = $2 AND lookup = $3 AND created_at > now() - interval '1 hour') AS target_hour,
       count(*) FILTER (WHERE identifier_kind = $2 AND lookup = $3) AS target_day
FROM verifications
WHERE kind = 'code' AND created_at > now() - interval '1 day'
  AND (customer_id = $1 OR identifier_kind = $2 AND lookup = $3);

-- name: open_code
-- The code this customer was last asked for, while it may be said: five attempts, fifteen minutes, once.
SELECT id, identifier_kind, lookup, value_enc, secret FROM (
    SELECT * FROM verifications WHERE kind = 'code' AND customer_id = $1 ORDER BY created_at DESC, id LIMIT 1
) latest
WHERE used_at IS NULL AND attempts < $2 AND expires_at > now();

-- name: count_guess
UPDATE verifications SET attempts = attempts + 1 WHERE id = $1;

-- name: proven_kinds
SELECT customer_id, kind FROM customer_identifiers WHERE customer_id = ANY($1::uuid[]) AND trust = 'verified';

-- name: news_of
-- Whether a code is awaited from the customer, and since our last answer here: whether they were joined with another,
-- or got an address or a number that nobody had.
WITH answered AS (
    SELECT coalesce(max(received_at), '-infinity') AS at FROM messages
    WHERE conversation_id = $2 AND author <> 'customer' AND kind = 'message')
SELECT EXISTS (
           SELECT FROM (SELECT used_at, attempts, expires_at FROM verifications
                        WHERE kind = 'code' AND customer_id = $1 ORDER BY created_at DESC, id LIMIT 1) latest
           WHERE used_at IS NULL AND attempts < $3 AND expires_at > now()) AS code_awaited,
       EXISTS (
           SELECT FROM customer_merges g, answered
           WHERE g.winner = $1 AND g.undone_at IS NULL AND g.merged_at >= answered.at) AS just_linked,
       EXISTS (
           SELECT FROM customer_identifiers i, answered
           WHERE i.customer_id = $1 AND i.trust = 'verified' AND i.created_at >= answered.at) AS just_added;
