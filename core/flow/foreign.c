#include "flow/foreign.h"

#include "base/limits.h"

/* Behind a path's /v1, or /v1beta, or without any: "files*" is files and all that goes on with a slash. */
struct foreign {
    const char *path;
    const char *says;
};

#define INSTEAD "ask POST /v1/chat/completions instead"

/* Sources: the API references of OpenAI, Anthropic, Google, Cohere and Ollama, by what their clients send. */
static const struct foreign foreigns[] = {
    {"responses/*",
     "Of a response that a provider keeps these are served here: GET and DELETE /v1/responses/{id}, POST …/cancel, GET "
     "…/input_items."},
    {"messages/batches*", "Batches are not served here: ask POST /v1/messages instead, several at a time."},
    {"complete", "Anthropic's Completions API is not served here: " INSTEAD "."},
    {"audio/*", "Of the paths of sound POST /v1/audio/speech, /v1/audio/transcriptions and /v1/audio/translations are "
                "served here."},
    {"images/*", "Of the paths of images POST /v1/images/generations, /v1/images/edits and /v1/images/variations are "
                 "served here; images to be read go into the messages of POST /v1/chat/completions."},
    {"videos*", "Making videos is not served here."},
    {"files*",
     "Of files POST and GET /v1/files, GET and DELETE /v1/files/{id} and GET /v1/files/{id}/content are served here."},
    {"uploads*", "Uploads are not served here: put texts into the messages of POST /v1/chat/completions."},
    {"cachedContents*",
     "Cached contents are not served here: whose one is, its name does not say. Send what it would hold in "
     "\"contents\" and \"systemInstruction\"."},
    {"tunedModels*", "Tuned models are not served by that path: give one a name in models.lua, and ask for that."},
    {"batches*",
     "Of batches POST and GET /v1/batches, GET /v1/batches/{id} and POST /v1/batches/{id}/cancel are served here."},
    {"fine_tuning/*", "Fine tuning is not served here: use the provider's own address."},
    {"fine-tunes*", "Fine tuning is not served here: use the provider's own address."},
    {"assistants*", "Assistants are not served here: " INSTEAD "."},
    {"threads*", "Assistants' threads are not served here: " INSTEAD "."},
    {"conversations/*",
     "Of conversations POST /v1/conversations, GET, POST and DELETE /v1/conversations/{id}, GET and POST …/items, and "
     "GET and DELETE …/items/{id} are served here."},
    {"vector_stores*", "Vector stores are not served here."},
    {"containers*", "Containers are not served here."},
    {"evals*", "Evals are not served here: use the provider's own address."},
    {"realtime*", "The Realtime API is not served here: " INSTEAD "."},
    {"edits", "Edits are not served here: " INSTEAD "."},
    {"engines*", "Engines are not served here: the model goes into the body of POST /v1/completions."},
    {"organization*", "Administration of accounts is not served here: use the provider's own address."},
    {"chat", "This is another service's path: " INSTEAD "."},
    {"generate", "This is Ollama's path: " INSTEAD "."},
    {"tags", "This is Ollama's path: GET /v1/models lists the models."},
    {"show", "This is Ollama's path: GET /v1/models/{id} tells of a model."},
};

static bool fits(const char *pattern, struct slice path)
{
    size_t len = strlen(pattern);
    bool is_open = pattern[len - 1] == '*';
    struct slice own = slice_of(pattern, is_open ? len - 1 : len);
    if (!is_open) return slice_equal(path, own);
    if (!slice_starts(path, own)) return false;
    return path.len == own.len || own.ptr[own.len - 1] == '/' || path.ptr[own.len] == '/';
}

/* Behind the first of these beginnings; all begin and end with a slash. */
static struct slice without_beginning(struct slice path)
{
    static const struct slice beginnings[] = {
        {"/anthropic/v1/", 14}, {"/v1/v1/", 7}, {"/api/v1/", 8}, {"/openai/v1/", 11}, {"/v1beta/", 8},
        {"/v1alpha/", 9},       {"/v1/", 4},    {"/api/", 5},    {"/openai/", 8},     {"/", 1}};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t len = beginnings[i].len;
        if (slice_starts(path, beginnings[i])) return slice_of(path.ptr + len, path.len - len);
    }
    return path;
}

/* What stands between "models/" or "deployments/" and the next colon or slash;
 * a name is as much as a client may read. */
static struct slice model_of(struct slice rest, char end)
{
    struct slice behind, name = slice_split(rest, end, &behind);
    return name.len <= LIMIT_LABEL_BYTES ? name : SLICE("NAME");
}

/* "models/NAME:predict": a verb behind a colon is Google's; models' own names have none at Google. Those that are
 * served never come here. */
static bool explain_google(struct slice rest, struct fault *why)
{
    static const struct slice verbs[] = {{"predict", 7},
                                         {"predictLongRunning", 18},
                                         {"generateAnswer", 14},
                                         {"generateMessage", 15},
                                         {"generateText", 12},
                                         {"embedText", 9},
                                         {"batchGenerateContent", 20},
                                         {"asyncBatchEmbedContent", 22},
                                         {"bidiGenerateContent", 19},
                                         {"computeTokens", 13}};
    struct slice verb;
    if (!slice_starts(rest, SLICE("models/"))) return false;
    rest = slice_of(rest.ptr + 7, rest.len - 7);
    slice_split(rest, ':', &verb);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!slice_equal(verb, verbs[i])) continue;
        fault_set(why, FAULT_UNSPOKEN_PATH,
                  "This method of Gemini's API is not served here: ask POST /v1beta/models/%.*s:generateContent, "
                  ":streamGenerateContent, :countTokens, :embedContent or :batchEmbedContents.",
                  SLICE_FMT(model_of(rest, ':')));
        return true;
    }
    return false;
}

/* Azure's that are not served: the deployment in the path, /openai/deployments/NAME/extensions/…, all behind /v1. */
static bool explain_azure(struct slice rest, struct fault *why)
{
    if (!slice_starts(rest, SLICE("deployments/"))) return false;
    rest = slice_of(rest.ptr + 12, rest.len - 12);
    fault_set(why, FAULT_UNSPOKEN_PATH,
              "Of Azure's paths those of chats, completions, embeddings, images and sound are served here: ask there, "
              "or with the OpenAI client, this gateway's /v1 as its base URL and \"model\": \"%.*s\".",
              SLICE_FMT(model_of(rest, '/')));
    return true;
}

bool foreign_explain(struct slice path, struct fault *why)
{
    struct slice rest = without_beginning(path);
    if (explain_google(rest, why) || explain_azure(rest, why)) return true;
    for (size_t i = 0; i < sizeof foreigns / sizeof foreigns[0]; i++) {
        if (!fits(foreigns[i].path, rest)) continue;
        fault_set(why, FAULT_UNSPOKEN_PATH, "%s", foreigns[i].says);
        return true;
    }
    return false;
}
