/*
 * What callers may ask for: one row a path. A new path is one row more.
 *
 *     const struct api *api = api_at(i);               // NULL behind the last
 *     if (api->kind == API_CALL) chat_parse(&x->request, …, api->asks, …);
 *     api->client->write_body_error(&body, &error);    // as the caller's own library reads it
 *
 * The dialect here is the client's: it reads what comes in, and writes all that the client sees. Whoever is called has
 * one of its own (dialect_for() of the account's kind).
 */
#ifndef MOONGATE_EXCHANGE_API_H
#define MOONGATE_EXCHANGE_API_H

#include <stdbool.h>

#include "base/slice.h"
#include "wire/dialect.h"

enum api_kind {
    API_NONE,   /* no path of ours, or not known yet */
    API_CALL,   /* a model is called with the body */
    API_MODELS, /* the names of the models that the caller may use */
    API_MODEL,  /* is this one of them? */
    API_OBJECT, /* an object that a provider keeps is asked for, or what becomes of it */
    API_LIST,   /* which of them the caller has, as this gateway's ledger knows it */
};

struct api {
    const char *word; /* its own: "chat", "model", "messages" */
    const char *name; /* as policies and records say it, whatever the dialect: "chat", "models" */
    const char *method;
    const char *path; /* a star stands for a model's name, which may hold slashes ("openai/small"), or an object's id; a
                       * second one for what is in it */
    enum api_kind kind;
    enum chat_kind asks;          /* API_CALL: what the body asks for */
    const struct dialect *client;
    bool has_text;                /* the body's texts are counted, and read by policies */
    bool meters_output;           /* the answer says something that is counted, masked and restored */
    bool is_echo;                 /* the answer says again what the request did: what was masked comes back there */
    bool is_free;                 /* providers take nothing for it: no tokens, no money */
    bool names_model;             /* the path says the model, whatever the body says: Azure's deployments, Gemini */
    const char *stands_for;       /* the model that policies know it by, where none is asked; NULL: it names one */
    bool takes_form;              /* the body may be a form (multipart/form-data) too: files, and a member a part */
    bool is_stream;               /* where the path says so: the answer is one, whatever the body has */
    enum kept_kind object;        /* API_OBJECT, API_LIST: what kind it is of, */
    const char *place;            /* … and its path at the provider, the star in it too: "/responses/" and a star; of an
                                   * API_CALL, too, that is about one. A second star stands for what the object holds */
    bool is_bytes;                /* … whose answer may be anything: nobody reads it */
    bool is_end;                  /* … which is no more when that succeeds */
    const char *if_header;        /* of a path that two dialects share: its client sends that; NULL: all others do */
};

/* What an exchange asks for until its path is known. */
extern const struct api api_none;

/* All rows but api_none, in order; NULL behind the last. */
const struct api *api_at(size_t index);
/* The same path's row for a client that sends such headers; has: is that one among them? Also of api_none: whoever asks
 * for nothing that is here is told so in its own dialect. */
const struct api *api_spoken(const struct api *api, bool (*has)(void *arg, struct slice header), void *arg);
/* By its name, and its client's dialect; is_one: of models, the row that asks about one. Of several the one whose path
 * the path ends in, else the first; NULL when there is none. */
const struct api *api_named(struct slice name, struct slice dialect, bool is_one, struct slice path);
/* By its word; NULL when there is none. */
const struct api *api_find(struct slice word);

#endif
