-- What the agent knows: documents, their versions, their passages, and what they are found by.

-- name: lock_document
-- Two ingests of one document go one after the other; $1 is its id.
SELECT pg_advisory_xact_lock(hashtextextended('knowledge:' || $1::text, 0))

-- name: active_document
-- The version that is searched, and whether all its passages have their words and the vectors of model $2.
SELECT d.version, d.content_hash,
       NOT EXISTS (SELECT FROM knowledge_base k
                   LEFT JOIN knowledge_vectors v ON v.passage_id = k.id AND v.model = $2
                   WHERE k.document_id = d.id AND k.version = d.version
                     AND (k.length = 0 OR v.sentences IS NULL)) AS indexed
FROM knowledge_documents d
WHERE d.id = $1 AND d.active

-- name: has_pages
-- Whether a page that answers customers is written in language $1, whatever its region.
SELECT EXISTS (SELECT FROM knowledge_documents
               WHERE active AND audience <> 'internal' AND split_part(lower(language), '-', 1) = $1) AS found

-- name: next_version
SELECT greatest(coalesce(max(version), 0) + 1, $2::int) AS version FROM knowledge_documents WHERE id = $1

-- name: retire
-- The text of an old version stays for what was cited; what it was found by goes.
WITH old AS (
    UPDATE knowledge_base SET active = false, embedding = NULL WHERE document_id = $1 AND active RETURNING id
), words AS (
    DELETE FROM knowledge_terms WHERE passage_id IN (SELECT id FROM old)
), vectors AS (
    DELETE FROM knowledge_vectors WHERE passage_id IN (SELECT id FROM old)
)
UPDATE knowledge_documents SET active = false WHERE id = $1 AND active RETURNING version

-- name: insert_document
INSERT INTO knowledge_documents (id, version, title, url, product, language, audience, content_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: insert_passages
-- Passages in the order given: $1 documents, $2 versions, $3 ordinals, $4 headings, $5 texts; $6 to $9 are for all.
INSERT INTO knowledge_base (document_id, version, ordinal, heading_path, content, product, language, audience, dictionary)
SELECT passage.*, $6, $7, $8, $9
FROM unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::text[]) AS passage
RETURNING id

-- name: index_words
-- Stem and count the words of passages $1. `simple` keeps every word and its place, the passage's dictionary stems it
-- and knows the words that say nothing by themselves. Two telling words in a row are a pair.
WITH said AS MATERIALIZED (
    SELECT k.id, k.dictionary, part.heading, word.lexeme, word.positions
    FROM knowledge_base k
    CROSS JOIN LATERAL (VALUES (true, k.heading_path), (false, k.content)) AS part (heading, text)
    CROSS JOIN LATERAL unnest(to_tsvector('simple', part.text)) AS word
    WHERE k.id = ANY ($1::bigint[]) AND k.active
), stems AS MATERIALIZED (
    SELECT dictionary, lexeme, ts_lexize(dictionary::regdictionary, lexeme) AS stems
    FROM (SELECT DISTINCT dictionary, lexeme FROM said) AS once
), words AS MATERIALIZED (
    SELECT id, heading, place, coalesce(stems[1], lexeme) AS lexeme, coalesce(stems <> '{}', true) AS telling
    FROM said JOIN stems USING (dictionary, lexeme) CROSS JOIN LATERAL unnest(positions) AS place
), pairs AS (
    SELECT id, heading, lexeme || ' ' || lead(lexeme) OVER (PARTITION BY id, heading ORDER BY place, lexeme) AS lexeme
    FROM words
    WHERE telling
), counted AS (
    SELECT lexeme, id, count(*) FILTER (WHERE heading) AS heading, count(*) FILTER (WHERE NOT heading) AS body
    FROM (SELECT id, heading, lexeme FROM words UNION ALL SELECT id, heading, lexeme FROM pairs WHERE lexeme IS NOT NULL)
    GROUP BY lexeme, id
), stored AS (
    INSERT INTO knowledge_terms (lexeme, passage_id, heading, body)
    SELECT lexeme, id, heading, body FROM counted
    ON CONFLICT (lexeme, passage_id) DO UPDATE SET heading = excluded.heading, body = excluded.body
)
UPDATE knowledge_base k
SET length = greatest(1, sized.length)
FROM unnest($1::bigint[]) AS given (id)
LEFT JOIN (SELECT id, sum(CASE WHEN heading THEN 2 ELSE 1 END) AS length FROM words GROUP BY id) AS sized USING (id)
WHERE k.id = given.id

-- name: insert_vectors
-- $1 passages, $2 the model, $3 their vectors, $4 those of their headings, $5 and $6 each sentence's passage and vector.
INSERT INTO knowledge_vectors (passage_id, model, embedding, heading, sentences)
SELECT given.id, $2, given.embedding::vector, given.heading::vector, coalesce(sentence.vectors, '{}')
FROM unnest($1::bigint[], $3::text[], $4::text[]) AS given (id, embedding, heading)
LEFT JOIN (SELECT id, array_agg(vector::vector ORDER BY place) AS vectors
           FROM unnest($5::bigint[], $6::text[]) WITH ORDINALITY AS one (id, vector, place)
           GROUP BY id) AS sentence USING (id)
ON CONFLICT (passage_id, model) DO UPDATE
SET embedding = excluded.embedding, heading = excluded.heading, sentences = excluded.sentences

-- name: touch_index
-- The passages changed; the first model that embedded any is the one that is searched.
UPDATE knowledge_index SET revision = revision + 1, model = CASE model WHEN '' THEN $1 ELSE model END

-- name: live_model
SELECT model FROM knowledge_index

-- name: unindexed
-- Passages without words or without all vectors of model $1, at most $2, and of one document alone if $3 is given.
SELECT k.id, k.heading_path, k.content
FROM knowledge_base k
LEFT JOIN knowledge_vectors v ON v.passage_id = k.id AND v.model = $1
WHERE k.active AND (k.length = 0 OR v.sentences IS NULL) AND ($3::text IS NULL OR k.document_id = $3)
ORDER BY k.id
LIMIT $2

-- name: lock_passages
-- Those of $1 that are still searched; they stay so until the transaction ends.
SELECT id FROM knowledge_base WHERE id = ANY ($1::bigint[]) AND active ORDER BY id FOR SHARE

-- name: switch_model
-- Search by model $1 once no passage lacks its vectors.
UPDATE knowledge_index SET model = $1, revision = revision + 1
WHERE model <> $1
  AND NOT EXISTS (SELECT FROM knowledge_base k
                  LEFT JOIN knowledge_vectors v ON v.passage_id = k.id AND v.model = $1
                  WHERE k.active AND v.sentences IS NULL)
RETURNING model

-- name: forget_other_models
DELETE FROM knowledge_vectors WHERE model <> $1

-- name: forget_vectors
-- Make passages of document $1, or of all, look unindexed to `unindexed`; they are found by what they had until then.
UPDATE knowledge_vectors v SET sentences = NULL
FROM knowledge_base k
WHERE k.id = v.passage_id AND k.active AND v.model = $2 AND ($1::text IS NULL OR k.document_id = $1)

-- name: list_documents
SELECT d.id, d.version, d.title, d.url, d.product, d.language, d.audience, d.created_at, count(k.id) AS passages
FROM knowledge_documents d
LEFT JOIN knowledge_base k ON k.document_id = d.id AND k.version = d.version
WHERE d.active
GROUP BY d.id, d.version
ORDER BY d.id

-- name: show_document
-- Every version of document $1, the newest first.
SELECT d.id, d.version, d.title, d.url, d.product, d.language, d.audience, d.active, d.created_at, count(k.id) AS passages
FROM knowledge_documents d
LEFT JOIN knowledge_base k ON k.document_id = d.id AND k.version = d.version
WHERE d.id = $1
GROUP BY d.id, d.version
ORDER BY d.version DESC

-- name: document_passages
SELECT ordinal, heading_path, content FROM knowledge_base WHERE document_id = $1 AND version = $2 ORDER BY ordinal

-- name: index_state
-- How many passages are searched, how many of them wait for words or for vectors of model $1, and the model searched by.
SELECT count(k.id)::int AS passages, count(k.id) FILTER (WHERE k.length = 0 OR v.sentences IS NULL)::int AS waiting,
       (SELECT model FROM knowledge_index) AS model
FROM knowledge_base k
LEFT JOIN knowledge_vectors v ON v.passage_id = k.id AND v.model = $1
WHERE k.active
