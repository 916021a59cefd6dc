// The shortcodes people and apps use most; an unknown one stays as it was typed.

const EMOJI = Object.fromEntries(`
rotating_light 🚨|warning ⚠️|white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑
bell 🔔|no_bell 🔕|mega 📣|loudspeaker 📢|speech_balloon 💬|thought_balloon 💭|eyes 👀|eye 👁️|see_no_evil 🙈|point_right 👉|point_left 👈|point_up ☝️|point_down 👇
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|moneybag 💰|dollar 💵|money_with_wings 💸|credit_card 💳|receipt 🧾|coin 🪙|heavy_dollar_sign 💲
key 🔑|old_key 🗝️|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|shield 🛡️|gear ⚙️|hammer_and_wrench 🛠️|wrench 🔧|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|label 🏷️
calendar 📆|date 📅|spiral_calendar_pad 🗓️|clock3 🕒|alarm_clock ⏰|stopwatch ⏱️|hourglass ⌛|hourglass_flowing_sand ⏳|zzz 💤
rocket 🚀|sparkles ✨|star ⭐|star2 🌟|tada 🎉|confetti_ball 🎊|trophy 🏆|medal 🏅|first_place_medal 🥇|second_place_medal 🥈|third_place_medal 🥉|crown 👑|gift 🎁|balloon 🎈
fire 🔥|zap ⚡|boom 💥|snowflake ❄️|sunny ☀️|sunrise 🌅|crescent_moon 🌙|cloud ☁️|rainbow 🌈|seedling 🌱|herb 🌿|four_leaf_clover 🍀|droplet 💧|ocean 🌊
robot_face 🤖|brain 🧠|bulb 💡|mag 🔍|mag_right 🔎|microscope 🔬|test_tube 🧪|books 📚|book 📖|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|newspaper 📰|file_folder 📁|open_file_folder 📂|package 📦|inbox_tray 📥|outbox_tray 📤
email 📧|envelope ✉️|incoming_envelope 📨|telephone_receiver 📞|iphone 📱|computer 💻|desktop_computer 🖥️|keyboard ⌨️|floppy_disk 💾|cd 💿|satellite 🛰️|globe_with_meridians 🌐|earth_asia 🌏
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|clap 👏|raised_hands 🙌|pray 🙏|wave 👋|muscle 💪|ok_hand 👌|v ✌️|handshake 🤝|writing_hand ✍️|raised_hand ✋|bow 🙇
smile 😄|smiley 😃|grinning 😀|grin 😁|joy 😂|slightly_smiling_face 🙂|wink 😉|blush 😊|heart_eyes 😍|thinking_face 🤔|neutral_face 😐|confused 😕|worried 😟|cry 😢|sob 😭|sweat_smile 😅|scream 😱|sleeping 😴|sunglasses 😎|partying_face 🥳|innocent 😇|relieved 😌|raising_hand 🙋
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|broken_heart 💔
red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_orange_square 🟧|large_yellow_square 🟨|large_green_square 🟩|large_blue_square 🟦|white_large_square ⬜|black_large_square ⬛|small_blue_diamond 🔹|small_orange_diamond 🔸
arrow_up ⬆️|arrow_down ⬇️|arrow_right ➡️|arrow_left ⬅️|arrow_upper_right ↗️|arrow_lower_right ↘️|small_red_triangle 🔺|small_red_triangle_down 🔻|arrows_counterclockwise 🔄|repeat 🔁|rewind ⏪|fast_forward ⏩|arrow_forward ▶️|double_vertical_bar ⏸️|black_square_for_stop ⏹️|heavy_plus_sign ➕|heavy_minus_sign ➖|information_source ℹ️|question ❓|grey_question ❔|exclamation ❗|bangbang ‼️|100 💯|recycle ♻️|infinity ♾️
one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|keycap_ten 🔟|zero 0️⃣
house 🏠|house_with_garden 🏡|office 🏢|factory 🏭|construction 🚧|checkered_flag 🏁|triangular_flag_on_post 🚩|flag-kr 🇰🇷|kr 🇰🇷|flag-jp 🇯🇵|jp 🇯🇵|flag-us 🇺🇸|us 🇺🇸|coffee ☕|tea 🍵|cake 🍰|pizza 🍕|apple 🍎|dart 🎯|game_die 🎲|jigsaw 🧩|art 🎨|compass 🧭|scales ⚖️|balance_scale ⚖️|broom 🧹|wastebasket 🗑️|dash 💨|ghost 👻|dog 🐶|cat 🐱|turtle 🐢|rabbit 🐰|bee 🐝|bug 🐛
bust_in_silhouette 👤|busts_in_silhouette 👥|technologist 🧑‍💻|office_worker 🧑‍💼|detective 🕵️
`.trim().split(/[|\n]/).map((pair) => pair.trim().split(" ")));

/** Return the character for a shortcode name (skin tones are dropped), or null. */
export const emojiOf = (name) => EMOJI[name.replace(/::skin-tone-\d$/, "")] || null;

/** Replace :known_shortcodes: inside plain text. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+(?:::skin-tone-\d)?):/g, (whole, name) => emojiOf(name) || whole);
