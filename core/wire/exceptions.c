#include "wire/exceptions.h"

static const struct failure_word exceptions[] = {
    {{"AccessDeniedException", 21}, FAILURE_PERMISSION},
    {{"ConflictException", 17}, FAILURE_CONFLICT},
    {{"ExpiredTokenException", 21}, FAILURE_AUTHENTICATION},
    {{"IncompleteSignature", 19}, FAILURE_AUTHENTICATION},
    {{"InternalFailure", 15}, FAILURE_SERVER},
    {{"InternalServerException", 23}, FAILURE_SERVER},
    {{"InvalidSignatureException", 25}, FAILURE_AUTHENTICATION},
    {{"MalformedHttpRequestException", 29}, FAILURE_REQUEST},
    {{"ModelErrorException", 19}, FAILURE_SERVER},
    {{"ModelNotReadyException", 22}, FAILURE_OVERLOADED},
    {{"ModelStreamErrorException", 25}, FAILURE_SERVER},
    {{"ModelTimeoutException", 21}, FAILURE_TIMEOUT},
    {{"NotAuthorized", 13}, FAILURE_PERMISSION},
    {{"OptInRequired", 13}, FAILURE_PERMISSION},
    {{"RequestEntityTooLargeException", 30}, FAILURE_TOO_LARGE},
    {{"RequestTimeoutException", 23}, FAILURE_TIMEOUT},
    {{"ResourceNotFoundException", 25}, FAILURE_MISSING},
    {{"ServiceQuotaExceededException", 29}, FAILURE_RATE},
    {{"ServiceUnavailable", 18}, FAILURE_OVERLOADED},
    {{"ServiceUnavailableException", 27}, FAILURE_OVERLOADED},
    {{"ThrottlingException", 19}, FAILURE_RATE},
    {{"UnknownOperationException", 25}, FAILURE_MISSING},
    {{"UnrecognizedClientException", 27}, FAILURE_AUTHENTICATION},
    {{"ValidationError", 15}, FAILURE_REQUEST},
    {{"ValidationException", 19}, FAILURE_REQUEST},
};

struct slice exceptions_bare_name(struct slice type)
{
    struct slice rest, behind, name = slice_split(type, ':', &rest);
    slice_split(name, '#', &behind);
    return slice_trim(behind.len ? behind : name);
}

bool exceptions_find(struct slice type, enum failure_kind *kind)
{
    struct slice name = exceptions_bare_name(type);
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (!slice_iequal(exceptions[i].word, name)) continue;
        *kind = exceptions[i].kind;
        return true;
    }
    return false;
}

bool exceptions_has_name(struct slice name)
{
    struct slice end = SLICE("Exception");
    if (slice_equal(name, SLICE("error"))) return true;
    return name.len > end.len && slice_equal(slice_of(name.ptr + name.len - end.len, end.len), end);
}
