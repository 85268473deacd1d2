#include "ledger/files.h"

#include "ledger/anchors.h"
#include "store/anchor.h"
#include "store/texts.h"

bool files_open(struct files *f, struct ledger_options *options, struct anchors *anchors, struct fault *why)
{
    f->key = anchor_key_open(options->data_dir, why);
    f->texts = f->key ? texts_open(options->data_dir, why) : NULL;
    if (f->texts) {
        options->key_fingerprint = slice_str(anchor_key_public(f->key)->fingerprint);
        f->ledger = ledger_open(options, why);
    }
    if (f->ledger && anchors_open(anchors, f->ledger, &f->key, why)) return true;
    files_close(f);
    return false;
}

void files_close(struct files *f)
{
    texts_close(f->texts);
    ledger_close(f->ledger);
    anchor_key_free(f->key);
    *f = (struct files){.ledger = NULL};
}
