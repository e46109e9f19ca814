-- 0003: questions and answers, found in Russian and in English, with typing errors and by other words for the same thing.
-- pg_trgm is a trusted extension (PostgreSQL 13 and later): the owner of the database may create it.

create extension if not exists pg_trgm with schema support;

create table support.faq_article (
    article_id  text    primary key,
    category    text    not null,
    position    integer not null,
    question_ru text    not null,
    answer_ru   text    not null,
    question_en text    not null,
    answer_en   text    not null,
    -- Words that people use and the question does not.
    keywords    text    not null default '',
    helped      bigint  not null default 0,
    unhelped    bigint  not null default 0,
    document_ru tsvector not null generated always as (
        setweight(to_tsvector('russian', question_ru || ' ' || keywords), 'A')
        || setweight(to_tsvector('russian', answer_ru), 'C')
    ) stored,
    document_en tsvector not null generated always as (
        setweight(to_tsvector('english', question_en), 'A') || setweight(to_tsvector('english', answer_en), 'C')
    ) stored
);
create index on support.faq_article using gin (document_ru);
create index on support.faq_article using gin (document_en);

-- Who writes the left word may mean the right ones.
create table support.faq_synonym (
    stem    text   primary key,
    means   text[] not null
);

-- A Russian word with a letter or digit of ASCII for each of its own. pg_trgm asks the database's character type what a
-- letter is, and where that is C (also with the builtin provider of PostgreSQL 17 and later) Russian ones are none.
create function support.word_shape(p_word text)
returns text
language plpgsql
immutable
set search_path = support, pg_temp
as $$
begin
    return translate(p_word, 'абвгдежзийклмнопрстуфхцчшщъыьэюяё', 'abvgdejziyklmnoprstufhc4wq0x1293e');
end
$$;

-- Every word that occurs, for finding the one that was meant by a word that does not.
create table support.faq_word (
    word  text primary key,
    shape text not null generated always as (support.word_shape(word)) stored
);
create index on support.faq_word using gin (shape support.gin_trgm_ops);

-- Says that word `p_word` may mean the others.
create function support.add_synonym(p_word text, variadic p_means text[])
returns void
language plpgsql
set search_path = support, pg_temp
as $$
begin
    insert into support.faq_synonym (stem, means)
    values (coalesce((ts_lexize('russian_stem', lower(p_word)))[1], lower(p_word)), p_means)
    on conflict (stem) do update
    set means = excluded.means;
end
$$;

-- Gathers the words anew; to be called when articles or synonyms have changed.
create function support.refresh_faq_words()
returns void
language plpgsql
set search_path = support, pg_temp
as $$
begin
    delete from support.faq_word;
    insert into support.faq_word (word)
    select distinct lower(found.word[1])
    from support.faq_article as article
    cross join regexp_matches(
        article.question_ru || ' ' || article.keywords || ' ' || article.answer_ru || ' ' || article.question_en || ' '
        || article.answer_en, '[[:alpha:]]{3,}', 'g'
    ) as found (word);
end
$$;

-- What a word of a question is looked for by: its stem and what begins with it (the word may not be finished), its
-- synonyms, and when none of these occurs anywhere, the known words that look most like it. null: it says nothing.
create function support.faq_query(p_word text, p_language text)
returns tsquery
language plpgsql
stable
set search_path = support, pg_temp
as $$
declare
    v_config  regconfig     := case when p_language = 'en' then 'english' else 'russian' end;
    v_stemmer regdictionary :=
        case when p_language = 'en' or p_word ~ '^[a-z0-9]+$' then 'english_stem' else 'russian_stem' end;
    v_stem    text          := (ts_lexize(v_stemmer, p_word))[1];
    v_query   tsquery;
    v_other   text;
begin
    if v_stem is null then return null; end if;
    v_query := to_tsquery('simple', quote_literal(v_stem) || case when length(v_stem) > 2 then ':*' else '' end);
    for v_other in select unnest(means) from support.faq_synonym where stem = v_stem loop
        v_query := v_query || plainto_tsquery(v_config, v_other);
    end loop;
    if exists (select from support.faq_article where document_ru @@ v_query or document_en @@ v_query) then
        return v_query;
    end if;
    for v_other in
        select word from support.faq_word
        where shape % support.word_shape(p_word) and similarity(shape, support.word_shape(p_word)) >= 0.4
        order by similarity(shape, support.word_shape(p_word)) desc, word
        limit 3
    loop
        v_query := v_query || plainto_tsquery(v_config, v_other);
    end loop;
    return v_query;
end
$$;

-- Articles that answer a question, the best first: by how many of its words they have, then by where they have them.
create function support.search_faq(p_text text, p_language text, p_limit integer)
returns table (found_id text)
language plpgsql
stable
set search_path = support, pg_temp
as $$
declare
    v_words tsquery[];
    v_any   tsquery;
    v_word  tsquery;
begin
    select array_agg(words.query) into v_words
    from (
        select support.faq_query(lower(found.word[1]), p_language) as query
        from (
            select distinct word from regexp_matches(left(p_text, 300), '[[:alnum:]]{2,}', 'g') as word limit 24
        ) as found
    ) as words
    where words.query is not null;
    foreach v_word in array coalesce(v_words, '{}') loop
        v_any := case when v_any is null then v_word else v_any || v_word end;
    end loop;
    if v_any is null then return; end if;
    return query
        select ranked.article_id
        from (
            select
                article.article_id,
                article.position,
                (select count(*) from unnest(v_words) as word where document.words @@ word) as matched,
                ts_rank(document.words, v_any) as rank
            from support.faq_article as article
            cross join lateral (
                select case when p_language = 'en' then article.document_en else article.document_ru end as words
            ) as document
            where document.words @@ v_any
        ) as ranked
        order by ranked.matched desc, ranked.rank desc, ranked.position, ranked.article_id
        limit p_limit;
end
$$;

revoke execute on function support.add_synonym(text, text[]), support.refresh_faq_words() from public;
grant select on support.faq_article, support.faq_synonym, support.faq_word to club_support;
grant update (helped, unhelped) on support.faq_article to club_support;
