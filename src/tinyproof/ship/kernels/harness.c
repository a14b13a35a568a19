/* Lets an exported network answer the images on standard input, one after the other: its scores on standard output.
   Not a part of what is exported. What begins with TINYPROOF_ comes from the command
   line of the compiler or stands below. */

#include <stdio.h>
#include TINYPROOF_HEADER

#define TINYPROOF_JOINED(name, rest) name##rest
#define TINYPROOF_OF(name, rest) TINYPROOF_JOINED(name, rest)

int main(void)
{
    static uint8_t image[TINYPROOF_PIXELS];
    TINYPROOF_OF(TINYPROOF_NAME, _score) scores[TINYPROOF_CLASSES];
    while (fread(image, 1, sizeof image, stdin) == sizeof image) {
        TINYPROOF_OF(TINYPROOF_NAME, _scores)(image, scores);
        uint8_t best = TINYPROOF_OF(TINYPROOF_NAME, _class)(image);
        for (uint8_t i = 0; i < TINYPROOF_CLASSES; i++)
            if (scores[i] > scores[best] || (scores[i] == scores[best] && i < best))
                return 3; /* the class must be that of the best score */
        if (fwrite(scores, sizeof scores, 1, stdout) != 1)
            return 2;
    }
    return 0;
}
