/* Requests and answers of Gemini's API, from and to other dialects: the tables. */
#include "wire/gemini/gemini_translate.h"

#include "wire/gemini/gemini_answers.h"

const struct request_translation gemini_request_translation = {
    .read = NULL,
    .write = NULL,
};

const struct answer_translation gemini_answers = {
    .reader_new = NULL,
    .writer_new = NULL,
};
