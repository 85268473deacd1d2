#include "base/mem.h"
#include "store/ledger/schema.h"
#include "store/verify/verify_inner.h"

static const char *in_data_dir(const struct verify *v, const char *name, struct buf *path)
{
    buf_init(path);
    buf_printf(path, "%s/%s", v->options->data_dir, name);
    buf_append_char(path, '\0');
    return buf_ptr(path);
}

static bool read_trust(struct verify *v, struct fault *why)
{
    struct buf path;
    const struct verify_options *o = v->options;
    if (o->key_file) return anchor_trust_read(&v->trust, o->key_file, why);
    if (!o->data_dir) return fault_set(why, FAULT_INTERNAL, "no public key is given to verify the anchors with");
    bool is_good = anchor_trust_read(&v->trust, in_data_dir(v, ANCHOR_PUBLIC_FILE, &path), why);
    buf_clear(&path);
    return is_good;
}

static bool walk(struct verify *v, struct fault *why)
{
    struct buf path;
    const struct verify_options *o = v->options;
    if (!o->data_dir) return verify_export(v, o->file, why);
    if (o->file) return verify_file(v, o->file, why);
    bool is_good = verify_file(v, in_data_dir(v, LEDGER_FILE, &path), why);
    buf_clear(&path);
    return is_good;
}

bool verify_ledger(const struct verify_options *options, struct verify_result *result, struct fault *why)
{
    *result = (struct verify_result){.state = VERIFY_INTACT};
    struct verify v = {.options = options, .result = result};
    buf_init(&v.gateway);
    buf_init(&v.key);
    buf_init(&v.tail);
    buf_init(&v.last);
    bool is_good = read_trust(&v, why) && walk(&v, why);
    if (is_good) verify_end(&v);
    verify_show(buf_slice(&v.gateway), result->gateway, sizeof result->gateway);
    mem_free(v.witness.all);
    buf_clear(&v.gateway);
    buf_clear(&v.key);
    buf_clear(&v.tail);
    buf_clear(&v.last);
    return is_good;
}
