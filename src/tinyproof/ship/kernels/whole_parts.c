/* The loops of a network in whole numbers. A file that is exported holds those that it needs.
   Values lie row by row, the channels of a pixel side by side; a loop may write over what it has read. */

/* --- layer */
typedef struct {
    const int8_t *weights;       /* [made][height][run] */
    const int32_t *bias;         /* [made] */
    const int32_t *factor;       /* [made] */
    uint32_t line, down, right;  /* in what is given: a row, a step down, a step to the right */
    uint32_t run;                /* of the kernel: the values of a row */
    uint16_t rows, columns, made, height;
    uint16_t slope;              /* below zero, in 1 / 32768 */
    uint8_t zero, shift;
} layer;

/* --- rectified */
static int32_t rectified(int32_t sum, uint32_t slope)
{
    if (sum >= 0 || slope == 32768)
        return sum;
    return -(int32_t)((-(int64_t)sum * (int64_t)slope + 16384) >> 15);
}

/* --- rescaled */
/* The nearest byte; add: a half and the zero. */
static uint8_t rescaled(int32_t sum, int32_t factor, int64_t add, uint32_t shift)
{
    const int64_t product = (int64_t)sum * factor + add;
    if (product < 0)
        return 0;
    const uint64_t byte = (uint64_t)product >> shift;
    return byte > 255 ? 255 : (uint8_t)byte;
}

/* --- score */
/* The nearest whole number. */
static int32_t score(int32_t sum, int32_t factor, uint32_t shift)
{
    const int64_t half = (int64_t)1 << (shift - 1), product = (int64_t)sum * factor;
    return product < 0 ? -(int32_t)((half - product) >> shift) : (int32_t)((product + half) >> shift);
}

/* --- pad */
/* From the end, so that it may write where it reads. */
static void pad(const uint8_t *in, uint8_t *out, uint32_t rows, uint32_t columns, uint32_t channels, uint32_t above,
                uint32_t beside, const uint8_t *value)
{
    in += rows * columns * channels;
    out += (rows + 2 * above) * (columns + 2 * beside) * channels;
    for (uint32_t y = rows + 2 * above; y-- > 0;)
        for (uint32_t x = columns + 2 * beside; x-- > 0;)
            for (uint32_t c = channels; c-- > 0;) {
                if (y < above || y >= rows + above || x < beside || x >= columns + beside)
                    *--out = value[c];
                else
                    *--out = *--in;
            }
}

/* --- dot */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
#include <arm_acle.h>

/* Four bytes, from anywhere; the first and third of them, and the second and fourth, as halves of a word. */
static uint32_t word(const void *at)
{
    uint32_t value;
    __builtin_memcpy(&value, at, 4);
    return value;
}

static int16x2_t even(uint32_t bytes)
{
    return (int16x2_t)__uxtb16(bytes);
}

static int16x2_t odd(uint32_t bytes)
{
    int16x2_t two;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(two) : "r"(bytes));
    return two;
}

static int16x2_t odd_signed(uint32_t bytes)
{
    int16x2_t two;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(two) : "r"(bytes));
    return two;
}

#define FOUR_AT_ONCE
#endif

/* Sums of products: the weights one and two with what stands at in, and with what stands beside it. */
static void dot(const uint8_t *in, uint32_t beside, const int8_t *one, const int8_t *two, uint32_t count,
                int32_t sums[4])
{
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
#ifdef FOUR_AT_ONCE
    for (const uint8_t *const end = in + (count & ~3U); in != end; in += 4, one += 4, two += 4) {
        const uint32_t here = word(in), there = word(in + beside), first = word(one), second = word(two);
        const int16x2_t here_even = even(here), here_odd = odd(here), there_even = even(there), there_odd = odd(there);
        int16x2_t weight = __sxtb16((int8x4_t)first);
        a = __smlad(here_even, weight, a);
        c = __smlad(there_even, weight, c);
        weight = odd_signed(first);
        a = __smlad(here_odd, weight, a);
        c = __smlad(there_odd, weight, c);
        weight = __sxtb16((int8x4_t)second);
        b = __smlad(here_even, weight, b);
        d = __smlad(there_even, weight, d);
        weight = odd_signed(second);
        b = __smlad(here_odd, weight, b);
        d = __smlad(there_odd, weight, d);
    }
    count &= 3;
#endif
    for (uint32_t i = 0; i < count; i++) {
        a += in[i] * one[i];
        b += in[i] * two[i];
        c += in[beside + i] * one[i];
        d += in[beside + i] * two[i];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* --- conv */
/* Two pixels and two channels at a time; where there is no second one the first is computed twice, and kept once.
   To out, or where scores is not null there. */
static void conv(const layer *l, const uint8_t *in, uint8_t *out, int32_t *scores)
{
    const uint32_t size = l->height * l->run, made = l->made;
    const int64_t add = ((int64_t)l->zero << l->shift) + ((int64_t)1 << (l->shift - 1));
    uint32_t at = 0;
    for (uint32_t y = 0; y < l->rows; y++)
        for (uint32_t x = 0; x < l->columns; x += 2) {
            const uint32_t pixels = x + 1 < l->columns ? 2 : 1;
            const uint8_t *const start = in + y * l->down + x * l->right;
            const int8_t *one = l->weights;
            for (uint32_t o = 0; o < made;) {
                const uint32_t more = o + 1 < made;
                const int32_t first = l->bias[o], second = l->bias[o + more];
                int32_t sums[4] = {first, second, first, second};
                const uint8_t *row = start;
                for (uint32_t r = 0; r < l->height; r++) {
                    dot(row, pixels == 2 ? l->right : 0, one, one + more * size, l->run, sums);
                    row += l->line;
                    one += l->run;
                }
                one += more * size;
                for (uint32_t i = 0; i <= more; i++, o++)
                    for (uint32_t p = 0; p < pixels; p++) {
                        const int32_t sum = rectified(sums[2 * p + i], l->slope), factor = l->factor[o];
                        if (scores)
                            scores[at + p * made + o] = score(sum, factor, l->shift);
                        else
                            out[at + p * made + o] = rescaled(sum, factor, add, l->shift);
                    }
            }
            at += pixels * made;
        }
}

/* --- scale */
/* Channel by channel; to values themselves, or where scores is not null there. */
static void scale(const layer *l, uint8_t *values, int32_t *scores)
{
    const int64_t add = ((int64_t)l->zero << l->shift) + ((int64_t)1 << (l->shift - 1));
    const uint32_t count = (uint32_t)l->rows * l->columns;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t c = 0; c < l->made; c++) {
            const int32_t sum = rectified(l->bias[c] + *values * l->weights[c], l->slope);
            if (scores)
                *scores++ = score(sum, l->factor[c], l->shift);
            else
                *values = rescaled(sum, l->factor[c], add, l->shift);
            values++;
        }
}

/* --- rectify */
static void rectify(uint8_t *values, uint32_t count, int32_t zero, uint32_t slope)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = (uint8_t)(zero + rectified(values[i] - zero, slope));
}

/* --- max_pool */
static void max_pool(const layer *l, const uint8_t *in, uint8_t *out)
{
    for (uint32_t y = 0; y < l->rows; y++)
        for (uint32_t x = 0; x < l->columns; x++)
            for (uint32_t c = 0; c < l->made; c++) {
                const uint8_t *const start = in + y * l->down + x * l->right + c;
                uint8_t most = 0;
                for (uint32_t r = 0; r < l->height; r++)
                    for (uint32_t i = 0; i < l->run; i += l->made) {
                        const uint8_t value = start[r * l->line + i];
                        most = value > most ? value : most;
                    }
                *out++ = most;
            }
}

/* --- avg_pool */
static void avg_pool(const layer *l, const uint8_t *in, uint8_t *out)
{
    const int64_t add = ((int64_t)l->zero << l->shift) + ((int64_t)1 << (l->shift - 1));
    for (uint32_t y = 0; y < l->rows; y++)
        for (uint32_t x = 0; x < l->columns; x++)
            for (uint32_t c = 0; c < l->made; c++) {
                const uint8_t *const start = in + y * l->down + x * l->right + c;
                int32_t sum = *l->bias;
                for (uint32_t r = 0; r < l->height; r++)
                    for (uint32_t i = 0; i < l->run; i += l->made)
                        sum += start[r * l->line + i];
                *out++ = rescaled(sum, *l->factor, add, l->shift);
            }
}

/* --- conv_apart */
/* In groups of `made` channels that see `inputs` each, or dilated: beside, from a column of the kernel to the next. To
   out, or where scores is not null there. */
static void conv_apart(const layer *l, uint32_t beside, uint32_t inputs, uint32_t made, const uint8_t *in,
                       uint8_t *out, int32_t *scores)
{
    const int64_t add = ((int64_t)l->zero << l->shift) + ((int64_t)1 << (l->shift - 1));
    for (uint32_t y = 0; y < l->rows; y++)
        for (uint32_t x = 0; x < l->columns; x++) {
            const int8_t *weight = l->weights;
            for (uint32_t o = 0; o < l->made; o++) {
                const uint8_t *const start = in + y * l->down + x * l->right + o / made * inputs;
                int32_t sum = l->bias[o];
                for (uint32_t r = 0; r < l->height; r++) {
                    const uint8_t *value = start + r * l->line;
                    for (uint32_t c = 0; c < l->run; c += inputs, value += beside)
                        for (uint32_t i = 0; i < inputs; i++)
                            sum += value[i] * *weight++;
                }
                sum = rectified(sum, l->slope);
                if (scores)
                    *scores++ = score(sum, l->factor[o], l->shift);
                else
                    *out++ = rescaled(sum, l->factor[o], add, l->shift);
            }
        }
}

/* --- pair */
typedef struct {
    int32_t factor[2];
    uint8_t given[2];  /* the zeros of what is given */
    uint8_t shift, zero;
    uint16_t slope;    /* below zero, in 1 / 32768 */
} pair;

/* --- add */
static void add(const pair *s, const uint8_t *one, const uint8_t *two, uint32_t count, uint8_t *out)
{
    const int64_t more = ((int64_t)s->zero << s->shift) + ((int64_t)1 << (s->shift - 1));
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = (int64_t)(one[i] - s->given[0]) * s->factor[0] + (int64_t)(two[i] - s->given[1]) * s->factor[1];
        if (value < 0)
            value = -((-value * s->slope + 16384) >> 15);
        value += more;
        const uint64_t byte = value < 0 ? 0 : (uint64_t)value >> s->shift;
        out[i] = byte > 255 ? 255 : (uint8_t)byte;
    }
}

/* --- place */
/* Channels among others, in their steps: made of them are a pixel. */
static void place(const uint8_t *in, uint32_t pixels, uint32_t channels, uint32_t made, int32_t given, int32_t factor,
                  uint32_t shift, int64_t zero, uint8_t *out)
{
    const int64_t add = (zero << shift) + ((int64_t)1 << (shift - 1));
    for (uint32_t p = 0; p < pixels; p++)
        for (uint32_t c = 0; c < channels; c++)
            out[p * made + c] = rescaled(*in++ - given, factor, add, shift);
}

/* --- look_up */
static void look_up(uint8_t *values, uint32_t count, const uint8_t *table)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = table[values[i]];
}
