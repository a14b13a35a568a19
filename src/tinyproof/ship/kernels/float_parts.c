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
