-- What the agent knows: documents, their versions and their passages.

-- name: lock_document
-- Two ingests of one document go one after the other; $1 is its id.
SELECT pg_advisory_xact_lock(hashtextextended('knowledge:' || $1::text, 0))

-- name: active_document
SELECT d.version, d.content_hash,
       NOT EXISTS (SELECT FROM knowledge_base k
                   WHERE k.document_id = d.id AND k.version = d.version AND k.embedding_model <> $2) AS embedded
FROM knowledge_documents d
WHERE d.id = $1 AND d.active

-- name: next_version
SELECT greatest(coalesce(max(version), 0) + 1, $2::int) AS version FROM knowledge_documents WHERE id = $1

-- name: retire_documents
UPDATE knowledge_documents SET active = false WHERE id = $1 AND active

-- name: retire_passages
-- Without a vector an old passage leaves the nearest-neighbour index; its text stays for what was cited.
UPDATE knowledge_base SET active = false, embedding = NULL WHERE document_id = $1 AND active

-- name: insert_document
INSERT INTO knowledge_documents (id, version, title, url, product, language, audience, content_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: insert_passage
INSERT INTO knowledge_base (document_id, version, ordinal, heading_path, content, embedding, embedding_model)
VALUES ($1, $2, $3, $4, $5, $6::text::vector, $7)

-- name: embed_passage
UPDATE knowledge_base SET embedding = $4::text::vector, embedding_model = $5
WHERE document_id = $1 AND version = $2 AND ordinal = $3 AND active

-- name: list_documents
SELECT d.id, d.version, d.title, d.url, d.product, d.language, d.audience, d.created_at, count(k.id) AS passages
FROM knowledge_documents d
LEFT JOIN knowledge_base k ON k.document_id = d.id AND k.version = d.version
WHERE d.active
GROUP BY d.id, d.version
ORDER BY d.id


-- name: corpus
-- How many passages are searched, and how many different stems one has on average.
SELECT count(*)::int AS passages, coalesce(avg(length(k.tsv)), 0)::float8 AS mean_length
FROM knowledge_base k
JOIN knowledge_documents d ON d.id = k.document_id AND d.version = k.version
WHERE k.active AND ($1::text IS NULL OR d.language = $1)

-- name: text_hits
-- Every stem asked for, with every passage that has it; a stem that no passage has comes once, without one.
-- $1 the words, $2 the term each belongs to, $3 their weights, $4 a language or null. `choice` numbers the words.
WITH asked AS (
    SELECT word.term, word.choice, stem.lexeme, word.weight / stem.siblings AS weight
    FROM unnest($1::text[], $2::int[], $3::float8[]) WITH ORDINALITY AS word (text, term, weight, choice)
    CROSS JOIN LATERAL (
        SELECT lexeme, count(*) OVER () AS siblings FROM unnest(to_tsvector('english', word.text))
    ) AS stem
), any_stem AS (
    SELECT string_agg(DISTINCT '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS query
    FROM asked
), hits AS (
    SELECT k.id, length(k.tsv) AS length, stem.lexeme,
           cardinality(array_positions(stem.weights, 'A')) AS in_heading,
           cardinality(array_positions(stem.weights, 'B')) AS in_body
    FROM knowledge_base k
    JOIN knowledge_documents d ON d.id = k.document_id AND d.version = k.version
    CROSS JOIN LATERAL unnest(k.tsv) AS stem
    WHERE k.active
      AND k.tsv @@ (SELECT query FROM any_stem)
      AND ($4::text IS NULL OR d.language = $4)
      AND stem.lexeme IN (SELECT lexeme FROM asked)
)
SELECT asked.term, asked.choice, asked.weight, hits.id, hits.length, hits.in_heading, hits.in_body
FROM asked
LEFT JOIN hits USING (lexeme)

-- name: vector_hits
-- The passages nearest to a vector, by cosine similarity. $1 the vector, $2 its model, $3 a language or null, $4 how many.
SELECT k.id, 1 - (k.embedding <=> $1::text::vector) AS similarity
FROM knowledge_base k
JOIN knowledge_documents d ON d.id = k.document_id AND d.version = k.version
WHERE k.active AND k.embedding_model = $2 AND ($3::text IS NULL OR d.language = $3)
ORDER BY k.embedding <=> $1::text::vector
LIMIT $4

-- name: similarities
-- The same for passages already named. $1 the vector, $2 its model, $3 their ids.
SELECT id, 1 - (embedding <=> $1::text::vector) AS similarity
FROM knowledge_base
WHERE id = ANY ($3::bigint[]) AND embedding_model = $2 AND embedding IS NOT NULL

-- name: vocabulary
-- Stems near enough in length to a misspelt word to be meant by it, with how many passages have them.
SELECT word, ndoc FROM ts_stat('SELECT tsv FROM knowledge_base WHERE active')
WHERE length(word) BETWEEN $1 AND $2 AND word ~ '^[a-z]+$'

-- name: passages
SELECT k.id, k.document_id, k.version, k.heading_path, k.content, d.title, d.url
FROM knowledge_base k
JOIN knowledge_documents d ON d.id = k.document_id AND d.version = k.version
WHERE k.id = ANY ($1::bigint[])

-- name: filtered_scan
-- pgvector 0.8: go on reading the index until enough rows pass the filter.
SELECT set_config('hnsw.iterative_scan', 'strict_order', true)
