/* The loops of a network in single precision. A file that is exported holds those that it needs.
   Values lie row by row, the channels of a pixel side by side. */

/* --- load */
static void load(const uint8_t *image, const float *factor, const float *summand, uint32_t channels, uint32_t count,
                 float *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = factor[i % channels] * (float)image[i] + summand[i % channels];
}

/* --- load_plain */
static void load(const uint8_t *image, uint32_t count, float *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = (float)image[i];
}

/* --- window */
typedef struct {
    uint32_t rows, columns;      /* what is made */
    uint32_t channels;           /* what is given */
    uint32_t line, down, right;  /* in what is given, in values: a row, a step down, a step to the right */
    uint32_t height, width;      /* of the kernel */
} window;

/* --- rectified */
static float rectified(float value, float slope)
{
    return value < 0.0f ? slope * value : value;
}

/* --- pad */
static void pad(const float *restrict in, float *restrict out, uint32_t rows, uint32_t columns, uint32_t channels,
                uint32_t above, uint32_t beside, const float *value)
{
    for (uint32_t y = 0; y < rows + 2 * above; y++)
        for (uint32_t x = 0; x < columns + 2 * beside; x++)
            for (uint32_t c = 0; c < channels; c++) {
                if (y < above || y >= rows + above || x < beside || x >= columns + beside)
                    *out++ = value[c];
                else
                    *out++ = *in++;
            }
}

/* --- conv */
/* weights: [rows, columns, in, out] */
static void conv(const window *w, uint32_t made, const float *weights, const float *bias, float slope,
                 const float *restrict in, float *restrict out)
{
    const uint32_t run = w->width * w->channels;
    for (uint32_t y = 0; y < w->rows; y++)
        for (uint32_t x = 0; x < w->columns; x++) {
            const float *start = in + y * w->down + x * w->right;
            const float *weight = weights;
            for (uint32_t o = 0; o < made; o++)
                out[o] = bias[o];
            for (uint32_t r = 0; r < w->height; r++)
                for (uint32_t i = 0; i < run; i++) {
                    const float value = start[r * w->line + i];
                    for (uint32_t o = 0; o < made; o++)
                        out[o] += value * weight[o];
                    weight += made;
                }
            for (uint32_t o = 0; o < made; o++)
                out[o] = rectified(out[o], slope);
            out += made;
        }
}

/* --- scale */
static void scale(float *values, uint32_t count, uint32_t channels, const float *factor, const float *summand,
                  float slope)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = rectified(factor[i % channels] * values[i] + summand[i % channels], slope);
}

/* --- rectify */
static void rectify(float *values, uint32_t count, float slope)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = rectified(values[i], slope);
}

/* --- max_pool */
static void max_pool(const window *w, const float *restrict in, float *restrict out)
{
    for (uint32_t y = 0; y < w->rows; y++)
        for (uint32_t x = 0; x < w->columns; x++)
            for (uint32_t c = 0; c < w->channels; c++) {
                const float *start = in + y * w->down + x * w->right + c;
                float most = *start;
                for (uint32_t r = 0; r < w->height; r++)
                    for (uint32_t i = 0; i < w->width; i++) {
                        const float value = start[r * w->line + i * w->channels];
                        most = value > most ? value : most;
                    }
                *out++ = most;
            }
}

/* --- avg_pool */
static void avg_pool(const window *w, const float *restrict in, float *restrict out)
{
    for (uint32_t y = 0; y < w->rows; y++)
        for (uint32_t x = 0; x < w->columns; x++)
            for (uint32_t c = 0; c < w->channels; c++) {
                const float *start = in + y * w->down + x * w->right + c;
                float sum = 0.0f;
                for (uint32_t r = 0; r < w->height; r++)
                    for (uint32_t i = 0; i < w->width; i++)
                        sum += start[r * w->line + i * w->channels];
                *out++ = sum / (float)(w->height * w->width);
            }
}

/* --- conv_apart */
/* In groups, or dilated; weights: [groups * made, rows, columns, inputs], beside: from a column of the kernel to the
   next. */
static void conv_apart(const window *w, uint32_t beside, uint32_t groups, uint32_t inputs, uint32_t made,
                       const float *weights, const float *bias, float slope, const float *restrict in,
                       float *restrict out)
{
    for (uint32_t y = 0; y < w->rows; y++)
        for (uint32_t x = 0; x < w->columns; x++) {
            const float *const start = in + y * w->down + x * w->right;
            const float *weight = weights;
            for (uint32_t o = 0; o < groups * made; o++) {
                float sum = bias[o];
                for (uint32_t r = 0; r < w->height; r++)
                    for (uint32_t c = 0; c < w->width; c++) {
                        const float *const value = start + r * w->line + c * beside + o / made * inputs;
                        for (uint32_t i = 0; i < inputs; i++)
                            sum += value[i] * *weight++;
                    }
                *out++ = rectified(sum, slope);
            }
        }
}

/* --- add */
/* To out, which may be where one of them is. */
static void add(const float *one, const float *two, uint32_t count, float slope, float *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = rectified(one[i] + two[i], slope);
}

/* --- place */
/* Channels among others: made of them are a pixel. */
static void place(const float *restrict in, uint32_t pixels, uint32_t channels, uint32_t made, float *restrict out)
{
    for (uint32_t p = 0; p < pixels; p++)
        for (uint32_t c = 0; c < channels; c++)
            out[p * made + c] = *in++;
}

/* --- exponential */
/* To 3e-7 of it, between e to the -87 and e to the 88, and these beyond: as a power of 2 times e to the rest. */
static float exponential(float x)
{
    if (!(x < 88.0f))
        x = 88.0f;
    if (x < -87.0f)
        x = -87.0f;
    const float halves = x * 1.44269504f;
    const int32_t n = (int32_t)(halves < 0.0f ? halves - 0.5f : halves + 0.5f);
    const float rest = x - (float)n * 0.693359375f + (float)n * 2.12194440e-4f;
    float sum = 1.9875691500e-4f;
    sum = sum * rest + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    const union {
        uint32_t bits;
        float value;
    } power = {(uint32_t)(n + 127) << 23};
    return (sum * rest * rest + rest + 1.0f) * power.value;
}

/* --- to_silu */
static void to_silu(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] /= 1.0f + exponential(-values[i]);
}

/* --- to_sigmoid */
static void to_sigmoid(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = 1.0f / (1.0f + exponential(-values[i]));
}

/* --- to_tanh */
static void to_tanh(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = 1.0f - 2.0f / (1.0f + exponential(2.0f * values[i]));
}

/* --- to_elu */
static void to_elu(float *values, uint32_t count, float alpha)
{
    for (uint32_t i = 0; i < count; i++)
        if (values[i] < 0.0f)
            values[i] = alpha * (exponential(values[i]) - 1.0f);
}

/* --- to_gelu */
/* The error function to 2e-7: Abramowitz and Stegun, 7.1.26. */
static void to_gelu(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const float value = values[i], z = (value < 0.0f ? -value : value) * 0.707106781f;
        const float t = 1.0f / (1.0f + 0.3275911f * z);
        const float sum = (((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f;
        const float beyond = 0.5f * sum * t * exponential(-z * z);
        values[i] = value * (value < 0.0f ? beyond : 1.0f - beyond);
    }
}

/* --- to_gelu_tanh */
static void to_gelu_tanh(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const float value = values[i], inner = 1.59576912f * (value + 0.044715f * value * value * value);
        values[i] = value / (1.0f + exponential(-inner));
    }
}

/* --- to_relu6 */
static void to_relu6(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = values[i] < 0.0f ? 0.0f : values[i] > 6.0f ? 6.0f : values[i];
}

/* --- to_hardsigmoid */
static void to_hardsigmoid(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const float value = values[i] / 6.0f + 0.5f;
        values[i] = value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value;
    }
}

/* --- to_hardswish */
static void to_hardswish(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const float value = values[i] / 6.0f + 0.5f;
        values[i] *= value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value;
    }
}
