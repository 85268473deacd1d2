#include "net/fetch_inner.h"

/* curl 7.88 tells bad chunking and a reset apart only in words. */
static bool is_bad_chunk(const struct fetch *f)
{
    return strstr(f->error, "chunked-encoding") || strstr(f->error, "chunked-encoded");
}

/* Results that say the same in every phase; FAULT_NONE for the others. */
static enum fault_code plain_code(CURLcode result)
{
    switch ((int)result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_URL_MALFORMAT:
    case CURLE_INTERFACE_FAILED: return FAULT_UPSTREAM_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return FAULT_CONNECT_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return FAULT_UPSTREAM_TLS;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP_RETURNED_ERROR: return FAULT_UPSTREAM_PROTOCOL;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return FAULT_UPSTREAM_CLOSED;
    }
    return FAULT_NONE;
}

static enum fault_code code_of(const struct fetch *f, CURLcode result)
{
    enum fault_code code = plain_code(result);
    if (code != FAULT_NONE) return code;
    bool is_connecting = f->phase == FETCH_CONNECTING;
    switch ((int)result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED: return FAULT_UPSTREAM_CONNECT; /* a URL that is none, or holds a password */
    /* memory never runs out here: a line of the head is longer than curl keeps, and was not given to us */
    case CURLE_OUT_OF_MEMORY: return is_connecting ? FAULT_INTERNAL : FAULT_UPSTREAM_PROTOCOL;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (is_connecting) return FAULT_UPSTREAM_CONNECT;
        return is_bad_chunk(f) ? FAULT_UPSTREAM_PROTOCOL : FAULT_UPSTREAM_CLOSED;
    /* an unknown scheme in the URL, or an answer that is no HTTP */
    case CURLE_UNSUPPORTED_PROTOCOL: return is_connecting ? FAULT_UPSTREAM_CONNECT : FAULT_UPSTREAM_PROTOCOL;
    case CURLE_FAILED_INIT: return FAULT_INTERNAL;
    }
    /* Whatever else curl found in an answer: a bare CR in a field's name is CURLE_BAD_FUNCTION_ARGUMENT's like. */
    return is_connecting ? FAULT_UPSTREAM_CONNECT : FAULT_UPSTREAM_PROTOCOL;
}

static const char *cause_of(const struct fetch *f, CURLcode result)
{
    if (result == CURLE_URL_MALFORMAT) return "the provider's URL is not a valid http or https URL";
    if (result == CURLE_OUT_OF_MEMORY) return "a line of the answer's head is too long";
    return *f->error ? f->error : curl_easy_strerror(result);
}

bool fetch_judge(const struct fetch *f, CURLcode result, struct fault *why)
{
    if (f->why) {
        *why = *f->why;
        return false;
    }
    if (result == CURLE_OK && f->has_head) return true;
    if (result == CURLE_OK)
        return fault_set(why, FAULT_UPSTREAM_CLOSED, "%s: closed inside the answer's head", f->url->host);
    return fault_set(why, code_of(f, result), "%s: %s", f->url->host, cause_of(f, result));
}
