/*
 * jansson beside wire/json.h, as the tests' second opinion: both call their types JSON_OBJECT, json_type and so on, so
 * jansson's are renamed while its header is read. Its json_is_*() macros do not work here; ORACLE_IS() does.
 */
#ifndef MOONGATE_TESTS_ORACLE_H
#define MOONGATE_TESTS_ORACLE_H

#define json_type oracle_type
#define JSON_OBJECT ORACLE_OBJECT
#define JSON_ARRAY ORACLE_ARRAY
#define JSON_STRING ORACLE_STRING
#define JSON_INTEGER ORACLE_INTEGER
#define JSON_REAL ORACLE_REAL
#define JSON_TRUE ORACLE_TRUE
#define JSON_FALSE ORACLE_FALSE
#define JSON_NULL ORACLE_NULL
#include <jansson.h>
#undef json_type
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#define ORACLE_IS(value, kind) ((value) && json_typeof(value) == ORACLE_##kind)

#endif
