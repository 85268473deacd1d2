/* Requests and answers of Gemini's API, from and to other dialects: the tables. */
#include "wire/gemini/gemini_translate.h"

#include "wire/gemini/gemini_answers.h"

const struct request_translation gemini_request_translation = {
    .read = NULL,
    .write = gemini_write_conversation,
};

const struct answer_translation gemini_answers = {
    .reader_new = gemini_reader_new,
    .reader_free = gemini_reader_free,
    .read_event = gemini_answers_read_event,
    .read_body = gemini_answers_read_body,
    .read_end = gemini_answers_read_end,
    .read_failure = gemini_read_failure,
    .writer_new = NULL,
};
