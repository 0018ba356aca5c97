-- Searching: many texts at once. $1 product, $2 language, $3 audience, each null for all, where a statement is filtered.
-- A document that names no product or audience is for all; one for the audience `internal` is for nobody who is not named.

-- name: filtered_scan
-- For this transaction. pgvector 0.8: go on reading the index until enough rows pass the filter. The planner takes an
-- index's pages for as slow as a turning disk's, and would rather read all vectors.
SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '60', true),
       set_config('random_page_cost', '1', true), set_config('work_mem', '32MB', true)

-- name: scope
-- What is searched: passages, their mean length, the dictionaries they are stemmed by, the model, and a number that
-- changes with them.
SELECT count(*)::int AS passages, coalesce(avg(nullif(k.length, 0)), 1)::float8 AS mean_length,
       coalesce(array_agg(DISTINCT k.dictionary), '{}') AS dictionaries,
       (SELECT model FROM knowledge_index) AS model, (SELECT revision FROM knowledge_index) AS revision
FROM knowledge_base k
WHERE k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
  AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END

-- name: languages
-- What documents are written in, the one with most passages first.
SELECT language FROM knowledge_base WHERE active GROUP BY language ORDER BY count(*) DESC, language

-- name: stems
-- The stems of words $1 by dictionaries $2 in their order. `telling`: not one of the words that say nothing alone.
SELECT given.word, stem.dictionary, part.position::int AS position, coalesce(found.lexemes[1], part.lexeme) AS lexeme,
       coalesce(found.lexemes <> '{}', true) AS telling
FROM unnest($1::text[]) AS given (word)
CROSS JOIN unnest($2::text[]) AS stem (dictionary)
CROSS JOIN LATERAL (SELECT lexeme, positions[1] AS position FROM unnest(to_tsvector('simple', given.word))) AS part
CROSS JOIN LATERAL (SELECT ts_lexize(stem.dictionary::regdictionary, part.lexeme) AS lexemes) AS found
ORDER BY 1, 2, 3, 4

-- name: holders
-- How many of the passages have each of the lexemes $4.
SELECT t.lexeme, count(*)::int AS holders
FROM knowledge_terms t
JOIN knowledge_base k ON k.id = t.passage_id
WHERE t.lexeme = ANY ($4::text[]) AND k.active AND ($1::text IS NULL OR k.product IN ('', $1))
  AND ($2::text IS NULL OR k.language = $2)
  AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
GROUP BY t.lexeme

-- name: vocabulary
-- Every stem there is, for who misspelt one.
SELECT lexeme, count(*)::int AS holders FROM knowledge_terms
WHERE lexeme ~ '^[[:alpha:]]{4,}$' GROUP BY lexeme

-- name: word_hits
-- The passages whose words fit best, $9 a text. $4 the text each lexeme $5 is asked for in, $6 what it is worth there,
-- $7 the mean length. $8 steers how soon more occurrences stop to help.
WITH asked AS (
    SELECT * FROM unnest($4::int[], $5::text[], $6::float8[]) AS one (part, lexeme, worth)
), scored AS (
    SELECT a.part, t.passage_id,
           sum(a.worth * (2 * t.heading + t.body)
               / (2 * t.heading + t.body + $8::float8 * (0.25 + 0.75 * k.length / $7::float8))) AS score
    FROM asked a
    JOIN knowledge_terms t ON t.lexeme = a.lexeme
    JOIN knowledge_base k ON k.id = t.passage_id
    WHERE k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    GROUP BY a.part, t.passage_id
)
SELECT part, passage_id
FROM (SELECT part, passage_id, row_number() OVER (PARTITION BY part ORDER BY score DESC, passage_id) AS place FROM scored)
WHERE place <= $9

-- name: word_features
-- How passages $2 of the texts $1 fit the terms asked for. $3 text, $4 term, $5 choice and $6 lexeme of each thing asked,
-- $7 whether it is a pair, $8 to $11 what it is worth among all words, the telling ones, the pairs, the names;
-- $12 and $13 as $7 and $8 of word_hits. Choices are alternatives: the best of them counts for its term.
WITH asked AS (
    SELECT * FROM unnest($3::int[], $4::int[], $5::int[], $6::text[], $7::bool[], $8::float8[], $9::float8[], $10::float8[],
                         $11::float8[])
        AS one (part, term, choice, lexeme, pair, among_all, among_telling, among_pairs, among_names)
), wanted AS MATERIALIZED (
    SELECT c.passage_id, $13::float8 * (0.25 + 0.75 * k.length / $12::float8) AS stretch, asked.*
    FROM unnest($1::int[], $2::bigint[]) AS c (part, passage_id)
    JOIN asked USING (part)
    JOIN knowledge_base k ON k.id = c.passage_id
), fits AS (
    SELECT wanted.*, t.heading > 0 AS headed, (2 * t.heading + t.body) / (2 * t.heading + t.body + stretch) AS fit
    FROM wanted
    -- OFFSET 0: look each up by key; the planner would rather read every passage that has the word.
    CROSS JOIN LATERAL (
        SELECT heading, body FROM knowledge_terms t
        WHERE t.lexeme = wanted.lexeme AND t.passage_id = wanted.passage_id OFFSET 0
    ) AS t
), choices AS (
    SELECT part, passage_id, term, choice,
           sum(CASE WHEN pair THEN 0 ELSE among_all * fit END) AS words,
           sum(CASE WHEN pair THEN 0 ELSE among_telling * fit END) AS strength,
           sum(CASE WHEN pair THEN 0 ELSE among_telling END) AS coverage,
           sum(CASE WHEN pair OR NOT headed THEN 0 ELSE among_telling END) AS heading,
           sum(among_pairs) AS pairs, sum(among_names) AS names
    FROM fits
    GROUP BY part, passage_id, term, choice
), terms AS (
    SELECT part, passage_id, max(words) AS words, max(strength) AS strength, max(coverage) AS coverage,
           max(heading) AS heading, max(pairs) AS pairs, max(names) AS names
    FROM choices
    GROUP BY part, passage_id, term
)
SELECT part, passage_id, sum(words) AS words, sum(strength) AS strength, sum(coverage) AS coverage,
       sum(heading) AS heading, sum(pairs) AS pairs, sum(names) AS names
FROM terms
GROUP BY part, passage_id

-- name: vector_features
-- How near passages $2 are to the vectors $3 of the texts $1; $4 is the model. Headings and sentences may be missing;
-- of a passage without headings also how near its first sentence is.
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector AS vector FROM unnest($5::int[], $3::text[]) AS given (part, vector)
)
SELECT asked.part, v.passage_id, 1 - (v.embedding <=> asked.vector) AS passage, 1 - (v.heading <=> asked.vector) AS heading,
       (SELECT 1 - min(sentence <=> asked.vector) FROM unnest(v.sentences) AS sentence) AS sentence,
       CASE WHEN v.heading IS NULL THEN 1 - (v.sentences[1] <=> asked.vector) END AS opening
FROM unnest($1::int[], $2::bigint[]) AS c (part, passage_id)
JOIN asked USING (part)
JOIN knowledge_vectors v
  ON v.passage_id = c.passage_id AND v.model = $4 AND vector_dims(v.embedding) = vector_dims(asked.vector)

-- name: passages
SELECT k.id, k.document_id, k.version, k.ordinal, k.heading_path, k.content, k.language, d.title, d.url
FROM knowledge_base k
JOIN knowledge_documents d ON d.id = k.document_id AND d.version = k.version
WHERE k.id = ANY ($1::bigint[])
