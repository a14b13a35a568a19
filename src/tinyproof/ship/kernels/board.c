/* An exported network on a bare Cortex-M, under qemu: images from a file, scores to another, by semihosting.
   After the scores of each image stand the ticks that they took, 0 where they are more than the timer holds. */

#include HEADER

#define JOINED(name, rest) name##rest
#define OF(name, rest) JOINED(name, rest)

extern uint32_t stack_top[];
void reset(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {stack_top, (const void *)reset};

static uint32_t host(uint32_t what, const void *with)
{
    register uint32_t r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = with;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uint32_t opened(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t with[] = {(uint32_t)name, mode, length};
    return host(1, with);
}

#define TICKS ((volatile uint32_t *)0xE000E010) /* SysTick: control, reload, value */

void reset(void)
{
    static uint8_t image[PIXELS];
    static OF(NAME, _score) scores[CLASSES];
    const uint32_t in = opened("images.bin", 10, 1), out = opened("scores.bin", 10, 5);
    const uint32_t read[] = {in, (uint32_t)image, sizeof image}, write[] = {out, (uint32_t)scores, sizeof scores};
    TICKS[1] = 0xFFFFFF;
    TICKS[0] = 5;
    while (host(6, read) == 0) {
        TICKS[2] = 0;
        const uint32_t before = TICKS[2];
        OF(NAME, _scores)(image, scores);
        uint32_t ticks = (before - TICKS[2]) & 0xFFFFFF;
        if (TICKS[0] & 0x10000) /* it went past 0 */
            ticks = 0;
        const uint32_t told[] = {out, (uint32_t)&ticks, 4};
        host(5, write);
        host(5, told);
    }
    host(0x18, (const void *)0x20026);
    for (;;)
        ;
}
