#include "ledger/files.h"

#include <unistd.h>

#include "ledger/anchors.h"
#include "store/anchor/anchor.h"
#include "store/ledger/lock.h"
#include "store/texts/texts.h"

static bool show_life(struct files *f, const char *data_dir, struct fault *why)
{
    int fd = f->living ? f->living : ledger_living(data_dir, why);
    if (fd > 0) f->living = fd;
    return fd > 0;
}

/* Who tries again lives on. */
static void give_up(struct files *f)
{
    texts_close(f->texts);
    ledger_close(f->ledger);
    anchor_key_free(f->key);
    *f = (struct files){.living = f->living};
}

bool files_open(struct files *f, struct ledger_options *options, struct anchors *anchors, struct fault *why)
{
    if (!show_life(f, options->data_dir, why)) return false;
    f->key = anchor_key_open(options->data_dir, why);
    f->texts = f->key ? texts_open(options->data_dir, why) : NULL;
    if (f->texts) {
        options->key_fingerprint = slice_str(anchor_key_public(f->key)->fingerprint);
        f->ledger = ledger_open(options, why);
    }
    if (f->ledger && anchors_open(anchors, f->ledger, &f->key, why)) return true;
    give_up(f);
    return false;
}

bool files_are_alone(const struct files *f)
{
    return ledger_is_alone(f->living);
}

void files_close(struct files *f)
{
    give_up(f);
    if (f->living) close(f->living);
    f->living = 0;
}
