#include "wire/tokens/recent.h"

struct recent_entry recent_entries[VOCABULARIES][1u << RECENT_BITS];
