/* Requests and answers of Gemini's API, from and to other dialects: the tables. */
#include "wire/gemini/gemini_translate.h"

#include "wire/gemini/gemini_answers.h"
#include "wire/gemini/gemini_reading.h"

const struct request_translation gemini_request_translation = {
    .respell = gemini_respell,
    .read = gemini_read_for_others,
    .words = &gemini_words,
    .write = NULL,
};

const struct answer_translation gemini_answers = {
    .reader_new = NULL,
    .writer_new = gemini_writer_new,
    .writer_free = gemini_writer_free,
    .write = gemini_write,
    .word_failure = gemini_word_failure,
};
