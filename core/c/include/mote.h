/* Mote for C: sample from diffusion models on microcontrollers, in memory that the caller lends.
 *
 * Made from core/c/src by `cargo xtask header`; changes belong there. docs/c-library.md says how to build, link and call. */

#ifndef MOTE_H
#define MOTE_H

#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX > 0xffffffff
#define MOTE_POINTERS_64
#else
#define MOTE_POINTERS_32
#endif

#if defined(MOTE_POINTERS_64)
/**
 * Words of 64 bits of a `mote_model`.
 */
#define MOTE_MODEL_WORDS 64
#endif

#if defined(MOTE_POINTERS_32)
/**
 * Words of 64 bits of a `mote_model`.
 */
#define MOTE_MODEL_WORDS 32
#endif

/**
 * A blob starts at a multiple of so many bytes.
 */
#define MOTE_BLOB_ALIGNMENT 16

/**
 * Bytes of a plan's name, the zero at its end included.
 */
#define MOTE_PLAN_NAME_BYTES 21

/**
 * The model samples.
 */
#define MOTE_ROLE_SAMPLER 0

/**
 * The model slides over a signal and denoises the centre of each window.
 */
#define MOTE_ROLE_CENTRE_DENOISER 1

#if defined(MOTE_POINTERS_64)
/**
 * Words of 64 bits of a `mote_session`.
 */
#define MOTE_SESSION_WORDS 12
#endif

#if defined(MOTE_POINTERS_32)
/**
 * Words of 64 bits of a `mote_session`.
 */
#define MOTE_SESSION_WORDS 9
#endif

/**
 * The request names a class.
 */
#define MOTE_REQUEST_CLASS 1

/**
 * The request has a guidance weight; it needs a class.
 */
#define MOTE_REQUEST_GUIDANCE 2

/**
 * The version of the blob's format that this library reads.
 */
#define MOTE_FORMAT_VERSION 1

/**
 * What a call comes to. Everything but `MOTE_STATUS_OK` is a refusal: nothing was computed, and no output was written unless
 * the function says so.
 */
enum mote_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * All went well.
     */
    MOTE_STATUS_OK = 0,
    /**
     * A pointer is null.
     */
    MOTE_STATUS_NULL_POINTER = 1,
    /**
     * A pointer is not at the multiple that is asked of it: 8 for objects, requests and digests, 4 for arenas and floats, 16 for blobs.
     */
    MOTE_STATUS_MISALIGNED = 2,
    /**
     * Two areas of memory that must be apart overlap.
     */
    MOTE_STATUS_OVERLAP = 3,
    /**
     * A length goes past the end of the address space.
     */
    MOTE_STATUS_LENGTH_OUT_OF_RANGE = 4,
    /**
     * A buffer holds fewer values than the model's.
     */
    MOTE_STATUS_BUFFER_TOO_SHORT = 5,
    /**
     * The object holds no model: it was not parsed, or parsing failed.
     */
    MOTE_STATUS_NO_MODEL = 6,
    /**
     * The object holds no session: it was not bound, or binding failed.
     */
    MOTE_STATUS_NO_SESSION = 7,
    /**
     * No sample is in the making: none was started, or something else used the arena since.
     */
    MOTE_STATUS_NO_SAMPLE = 8,
    /**
     * The arena has fewer bytes than the model needs.
     */
    MOTE_STATUS_ARENA_TOO_SMALL = 9,
    /**
     * The model has no such plan.
     */
    MOTE_STATUS_UNKNOWN_PLAN = 10,
    /**
     * The model has no such class.
     */
    MOTE_STATUS_CLASS_OUT_OF_RANGE = 11,
    /**
     * The model has no such noise level.
     */
    MOTE_STATUS_LEVEL_OUT_OF_RANGE = 12,
    /**
     * A guidance weight that is not finite, or that comes without a class.
     */
    MOTE_STATUS_GUIDANCE_NOT_ALLOWED = 13,
    /**
     * A request has flags that this version does not know.
     */
    MOTE_STATUS_UNKNOWN_FLAGS = 14,
    /**
     * The model is not made for this: it denoises and does not sample.
     */
    MOTE_STATUS_WRONG_ROLE = 15,
    /**
     * The self-test gave other bits than the model says.
     */
    MOTE_STATUS_SELF_TEST_FAILED = 16,
    /**
     * The bytes are no blob: they do not start with `MOTE`.
     */
    MOTE_STATUS_NOT_A_BLOB = 32,
    /**
     * The blob is of a version that this library does not read.
     */
    MOTE_STATUS_UNSUPPORTED_VERSION = 33,
    /**
     * The blob has fewer bytes than its header says, or than a header has.
     */
    MOTE_STATUS_TRUNCATED = 34,
    /**
     * The blob has more bytes than its header says.
     */
    MOTE_STATUS_TRAILING_BYTES = 35,
    /**
     * The blob's checksum does not match: it is damaged.
     */
    MOTE_STATUS_CHECKSUM_MISMATCH = 36,
    /**
     * A field of the blob has a value that is not allowed.
     */
    MOTE_STATUS_FIELD_NOT_ALLOWED = 37,
    /**
     * The blob's counts do not add up to its length.
     */
    MOTE_STATUS_SECTIONS_MISMATCH = 38,
    /**
     * A byte between two sections of the blob is not zero.
     */
    MOTE_STATUS_PADDING_NOT_ZERO = 39,
    /**
     * Weights of the blob could overflow the sums that kernels rely on.
     */
    MOTE_STATUS_SUMS_OVERFLOW = 40,
    /**
     * The blob is refused for another reason.
     */
    MOTE_STATUS_REFUSED = 41,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mote_status mote_status;
#else
typedef int32_t mote_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A checked model: memory of the caller's that `mote_model_parse` fills. It holds pointers into the blob and none to itself, so it may
 * be copied, and needs no release.
 */
typedef struct mote_model {
    uint64_t opaque[MOTE_MODEL_WORDS];
} mote_model;

/**
 * What a model is and what it needs.
 */
typedef struct mote_model_info {
    /**
     * Bytes of the arena that a session needs.
     */
    uint32_t arena_bytes;
    /**
     * Bytes of the blob.
     */
    uint32_t blob_bytes;
    /**
     * `MOTE_ROLE_SAMPLER` or `MOTE_ROLE_CENTRE_DENOISER`.
     */
    uint16_t role;
    /**
     * Values that the network takes.
     */
    uint16_t dim_in;
    /**
     * Values that the network gives, and values of a sample.
     */
    uint16_t dim_out;
    /**
     * Number of classes; 0 for an unconditional model.
     */
    uint16_t classes;
    /**
     * Number of noise levels.
     */
    uint16_t levels;
    /**
     * Number of plans; 0 where the model does not sample.
     */
    uint16_t plans;
    /**
     * Height of a sample, if it is an image, or 0.
     */
    uint16_t image_height;
    /**
     * Width of a sample, if it is an image, or 0.
     */
    uint16_t image_width;
} mote_model_info;

/**
 * A way to sample a model.
 */
typedef struct mote_plan_info {
    /**
     * Its name: printable ASCII without blanks, then zeros, at least one.
     */
    char name[MOTE_PLAN_NAME_BYTES];
    /**
     * 1 if its steps draw noise, 0 if only its start does.
     */
    uint8_t stochastic;
    /**
     * Steps of a sample: evaluations of the network, or half of those with guidance.
     */
    uint16_t steps;
    /**
     * The guidance weight that it was made for; 0 for none.
     */
    float guidance;
} mote_plan_info;

/**
 * A model with the memory that it works in, and the sample that is in the making there: memory of the caller's that
 * `mote_session_bind` fills. It points to the model and the arena and not to itself, and needs no release. Copies of a session share an
 * arena: only one of them may be used.
 */
typedef struct mote_session {
    uint64_t opaque[MOTE_SESSION_WORDS];
} mote_session;

/**
 * Which sample to draw. With all bytes zero: sample 0 of seed 0 by the first plan, of any class.
 */
typedef struct mote_request {
    /**
     * The seed.
     */
    uint64_t seed;
    /**
     * Which of the seed's samples. Reaching sample k takes k jumps of the generator, each of 128 draws.
     */
    uint32_t number;
    /**
     * Number of the plan.
     */
    uint16_t plan;
    /**
     * The class to sample, with `MOTE_REQUEST_CLASS`.
     */
    uint16_t class_number;
    /**
     * The guidance weight w of `F = F_u + w (F_c - F_u)`, with `MOTE_REQUEST_GUIDANCE`; every step then takes two evaluations.
     */
    float guidance;
    /**
     * `MOTE_REQUEST_CLASS`, `MOTE_REQUEST_GUIDANCE`, both or neither.
     */
    uint32_t flags;
} mote_request;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status as it stands in this header, or `MOTE_STATUS_UNKNOWN` for any other number. The text is static and ends in a
 * zero byte.
 */
const char *mote_status_name(int32_t status);

/**
 * Checks a blob and views it in place: a whole file `.mote`, byte for byte. `blob` starts at a multiple of `MOTE_BLOB_ALIGNMENT`.
 *
 * The model belongs to the caller and points into the blob, which must stay where it is, unchanged, as long as the model or a session
 * over it is used. After a refusal the object holds no model, unless
 * it overlaps the blob and was left alone. Time: two passes over the blob.
 *
 * # Safety
 *
 * `model` points to a `mote_model` and `blob` to `blob_bytes` bytes, or either is null.
 */
mote_status mote_model_parse(struct mote_model *model,
                             const uint8_t *blob,
                             size_t blob_bytes);

/**
 * What a model is and what it needs.
 *
 * # Safety
 *
 * `model` points to a `mote_model` and `info` to a `mote_model_info` to be written, or either is null.
 */
mote_status mote_model_describe(const struct mote_model *model, struct mote_model_info *info);

/**
 * The number of the plan of this name, which ends in a zero byte.
 *
 * # Safety
 *
 * `model` points to a `mote_model`, `name` to a text that ends in a zero byte, `plan` to a number to be written, or any is null.
 */
mote_status mote_plan_find(const struct mote_model *model,
                           const char *name,
                           uint16_t *plan);

/**
 * What a plan is. Plans are numbered from 0.
 *
 * # Safety
 *
 * `model` points to a `mote_model` and `info` to a `mote_plan_info` to be written, or either is null.
 */
mote_status mote_plan_describe(const struct mote_model *model, uint16_t plan, struct mote_plan_info *info);

/**
 * Brings a sample of `count` values to the data's own units, in place: each value times its deviation, plus its mean.
 *
 * # Safety
 *
 * `model` points to a `mote_model` and `sample` to `count` floats, or either is null.
 */
mote_status mote_model_unscale(const struct mote_model *model, float *sample, size_t count);

/**
 * Binds a model to its working memory, `arena_bytes` bytes that start at a multiple of 4; `mote_model_describe` says how many it takes.
 *
 * Session and arena belong to the caller. Model and arena must stay where they are as long as the session is used, and nothing else may
 * write to the arena. Model, session, arena and blob lie apart. After any other status than `MOTE_STATUS_OK` the object holds no session.
 *
 * # Safety
 *
 * `session` points to a `mote_session`, `model` to a `mote_model` and `arena` to `arena_bytes` bytes, or any is null.
 */
mote_status mote_session_bind(struct mote_session *session,
                              const struct mote_model *model,
                              uint32_t *arena,
                              size_t arena_bytes);

/**
 * Runs the model's self-test: whether this processor gives the bits that the model was made with. It ends a sample in the making.
 *
 * # Safety
 *
 * `session` is null, or points to a `mote_session` whose model, blob and arena are still there.
 */
mote_status mote_session_self_test(struct mote_session *session);

/**
 * Draws a whole sample and writes its `dim_out` values to `out`, which has room for `count`, in the scale of the training data;
 * `mote_model_unscale` brings them to the data's own units. It ends a sample in the making.
 *
 * # Safety
 *
 * `session` is as for `mote_session_self_test`, `request` points to a request and `out` to room for `count` floats, or any is null.
 */
mote_status mote_session_sample(struct mote_session *session,
                                const struct mote_request *request,
                                float *out,
                                size_t count);

/**
 * Starts a sample that `mote_session_step` then makes, step by step: draws its noise. It ends a sample that was in the making.
 *
 * # Safety
 *
 * `session` is as for `mote_session_self_test`, and `request` points to a request, or either is null.
 */
mote_status mote_session_start(struct mote_session *session,
                               const struct mote_request *request);

/**
 * Takes one step of the sample in the making, and writes 1 to `done` if it was the last one and 0 if not. Past the last step it does
 * nothing and writes 1.
 *
 * # Safety
 *
 * `session` is as for `mote_session_self_test`, and `done` points to a byte to be written, or either is null.
 */
mote_status mote_session_step(struct mote_session *session,
                              uint8_t *done);

/**
 * Writes the sample in the making to `out`, which has room for `count` values, in the scale of the training data: after the last step
 * the sample, and before it the state of that step.
 *
 * # Safety
 *
 * `session` is as for `mote_session_self_test`, and `out` points to room for `count` floats, or either is null.
 */
mote_status mote_session_read(struct mote_session *session,
                              float *out,
                              size_t count);

/**
 * One evaluation of the network at a noise level, for denoising: writes its raw output `F(x, level)`, `dim_out` values, to `out`. `x`
 * has `dim_in` values, in the scale of the training data, and `class_number` is null for no class. A sample in the making stays as it is.
 *
 * # Safety
 *
 * `session` is as for `mote_session_self_test`, `class_number` points to a number or is null, `x` points to `x_count` floats and `out` to
 * room for `out_count`, or either is null.
 */
mote_status mote_session_evaluate(struct mote_session *session,
                                  uint16_t level,
                                  const uint16_t *class_number,
                                  const float *x,
                                  size_t x_count,
                                  float *out,
                                  size_t out_count);

/**
 * The library's version, as in `0.1.0`. The text is static and ends in a zero byte.
 */
const char *mote_version(void);

/**
 * The fingerprint of `count` values, as self-tests have it: CRC-64/XZ over their little-endian bits, every NaN counted as the
 * same bits. Equal digests mean equal bits, but for an accident of 1 in 2^64.
 *
 * # Safety
 *
 * `values` points to `count` floats and `digest` to a number to be written, or either is null.
 */
mote_status mote_digest(const float *values,
                        size_t count,
                        uint64_t *digest);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MOTE_H */
