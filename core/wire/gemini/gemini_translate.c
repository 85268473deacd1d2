/* Requests and answers of Gemini's API, from and to other dialects: the tables. */
#include "wire/gemini/gemini_translate.h"

#include "wire/gemini/gemini_answers.h"
#include "wire/gemini/gemini_reading.h"

const struct request_translation gemini_request_translation = {
    .respell = gemini_respell,
    .read = gemini_read_for_others,
    .write = gemini_write_conversation,
    .words = &gemini_words,
};

const struct answer_translation gemini_answers = {
    .reader_new = gemini_reader_new,
    .reader_free = gemini_reader_free,
    .read_event = gemini_answers_read_event,
    .read_body = gemini_answers_read_body,
    .read_end = gemini_answers_read_end,
    .read_failure = gemini_read_failure,
    .writer_new = gemini_writer_new,
    .writer_free = gemini_writer_free,
    .write = gemini_write,
    .write_held = gemini_write_held,
    .word_failure = gemini_word_failure,
};
