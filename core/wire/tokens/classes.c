#include "wire/tokens/classes.h"

const unsigned char class_of_byte[256] = {
    /* All else below 0x80 is CLASS_OTHER, 0. */
    ['\t'] = CLASS_SPACE,        ['\v'] = CLASS_SPACE,       ['\f'] = CLASS_SPACE, [' '] = CLASS_SPACE,
    ['\n'] = CLASS_BREAK,        ['\r'] = CLASS_BREAK,       ['0' ... '9'] = CLASS_NUMBER,
    ['A' ... 'Z'] = CLASS_UPPER, ['a' ... 'z'] = CLASS_LOWER, [0x80 ... 0xFF] = CLASS_END,
};
