#include "net/local_http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static size_t keep(char *bytes, size_t size, size_t count, void *arg)
{
    struct buf *to = arg;
    if (buf_len(to) + size * count > LOCAL_HTTP_BYTES) return 0;
    buf_append(to, slice_of(bytes, size * count));
    return size * count;
}

static struct curl_slist *headers_of(const struct local_http *ask)
{
    struct curl_slist *headers = ask->header ? curl_slist_append(NULL, ask->header) : NULL;
    return ask->body ? curl_slist_append(headers, "Content-Type: application/json") : headers;
}

static void set_up(CURL *curl, const struct local_http *ask, const char *url, const char *where, struct buf *answer)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
    if (ask->body) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask->body);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, where);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, LOCAL_HTTP_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

/* The address of a Unix socket has room for 107 bytes: it is named by its folder's descriptor. */
static CURLcode perform(CURL *curl, const struct local_http *ask, int dir_fd, struct buf *answer)
{
    struct buf url, where;
    buf_init(&url);
    buf_init(&where);
    buf_printf(&url, "http://localhost%s", ask->path);
    buf_append_char(&url, '\0');
    buf_printf(&where, "/proc/self/fd/%d/%s", dir_fd, ask->name);
    buf_append_char(&where, '\0');
    struct curl_slist *headers = headers_of(ask);
    set_up(curl, ask, buf_ptr(&url), buf_ptr(&where), answer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    buf_clear(&url);
    buf_clear(&where);
    return code;
}

int local_http_ask(const struct local_http *ask, struct buf *answer, struct fault *why)
{
    long status = 0;
    CURL *curl = curl_easy_init();
    int fd = open(ask->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CURLcode code = curl ? perform(curl, ask, fd, answer) : CURLE_FAILED_INIT;
    if (code == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (fd >= 0) close(fd);
    if (!status) fault_set(why, FAULT_INTERNAL, "%s/%s: %s", ask->dir, ask->name, curl_easy_strerror(code));
    return (int)status;
}
