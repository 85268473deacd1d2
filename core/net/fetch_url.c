#include "net/fetch_inner.h"

#include "base/mem.h"

#define FLAGS (CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_PATH_AS_IS)

static struct fetch_url *new_url(const char *text)
{
    CURLU *parsed = curl_url();
    if (!parsed || curl_url_set(parsed, CURLUPART_URL, text, FLAGS) != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return NULL;
    }
    struct fetch_url *url = mem_zalloc(1, sizeof *url);
    url->parsed = parsed;
    url->text = mem_strdup(text);
    fetch_url_host(slice_str(text), url->host, sizeof url->host);
    return url;
}

struct fetch_url *fetch_url_take(struct fetch_urls *urls, const char *text)
{
    for (size_t i = 0; i < FETCH_URLS_KEPT; i++) {
        struct fetch_url *url = urls->kept[i];
        if (!url || strcmp(url->text, text) != 0) continue;
        url->users++;
        return url;
    }
    struct fetch_url *url = new_url(text);
    if (!url) return NULL;
    size_t at = urls->next++ % FETCH_URLS_KEPT;
    fetch_url_drop(urls->kept[at]);
    urls->kept[at] = url;
    url->users = 2;
    return url;
}

void fetch_url_drop(struct fetch_url *url)
{
    if (!url || --url->users > 0) return;
    curl_url_cleanup(url->parsed);
    mem_free(url->text);
    mem_free(url);
}

void fetch_urls_clear(struct fetch_urls *urls)
{
    for (size_t i = 0; i < FETCH_URLS_KEPT; i++)
        fetch_url_drop(urls->kept[i]);
    *urls = (struct fetch_urls){0};
}
