"""Sources by name: what kind of site each is, and the hosts, short names and tags that mean it."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

Kind = Literal["search", "social", "video", "shopping", "email", "ai", "paid", ""]

_LISTED: dict[Kind, str] = {
    "search": """
Google: google. google adwords gads googleads google-ads google_ads com.google.android.googlequicksearchbox
Bing: bing.com bing cn.bing.com
DuckDuckGo: duckduckgo.com ddg duckduckgo
Yahoo!: yahoo. yahoo search.yahoo.com
Yandex: yandex. yandex ya.ru
Baidu: baidu.com baidu
Ecosia: ecosia.org ecosia
Brave: search.brave.com brave
Startpage: startpage.com ixquick.com
Qwant: qwant.com qwant
Sogou: sogou.com
Naver: naver.com naver
Daum: daum.net
Seznam: seznam.cz
So.com: so.com 360.cn
Ask: ask.com
AOL: aol.com search.aol.com
Mojeek: mojeek.com
Swisscows: swisscows.com
Kagi: kagi.com
MetaGer: metager.org metager.de
Petal Search: petalsearch.com
You.com: you.com
Dogpile: dogpile.com
Lycos: lycos.com
Excite: excite.com
WebCrawler: webcrawler.com
Info.com: info.com
Rambler: rambler.ru nova.rambler.ru
Mail.ru: go.mail.ru
Onet: szukaj.onet.pl
WP: szukaj.wp.pl
Virgilio: ricerca.virgilio.it
Libero: ricerca.libero.it
T-Online: suche.t-online.de
Web.de: suche.web.de
GMX: suche.gmx.net
Fireball: fireball.com fireball.de
Coc Coc: coccoc.com
Goo: goo.ne.jp
Biglobe: biglobe.ne.jp
Presearch: presearch.com presearch.org
Gibiru: gibiru.com
Search Encrypt: searchencrypt.com
Yippy: yippy.com
Haosou: haosou.com
Shenma: sm.cn
Toutiao: so.toutiao.com
Terra: busca.terra.com.br
UOL: busca.uol.com.br
Walla: search.walla.co.il
Yep: yep.com
""",
    "social": """
Facebook: facebook.com fb.com fb.me fb fcb facebook messenger.com m.me com.facebook.katana facebook-ads fbads
Facebook: fbad fb-ads facebook_ads facebook_ad facebook_feed_ad
Instagram: instagram.com ig instagram com.instagram.android
Threads: threads.net threads.com
X: twitter.com x.com t.co twitter x twitter-ads com.twitter.android
LinkedIn: linkedin.com lnkd.in linkedin com.linkedin.android
Reddit: reddit.com redd.it reddit reddit-ads com.reddit.frontpage
Pinterest: pinterest. pin.it pinterest com.pinterest
TikTok: tiktok.com tiktok tiktokads com.zhiliaoapp.musically
Snapchat: snapchat.com snapchat com.snapchat.android
WhatsApp: whatsapp.com wa.me whatsapp com.whatsapp
Telegram: telegram.org telegram.me t.me telegram org.telegram.messenger
Discord: discord.com discordapp.com discord.gg discord com.discord
Slack: slack.com slack com.slack
Microsoft Teams: teams.microsoft.com teams.live.com com.microsoft.teams
Mastodon: mastodon.social mastodon.online mstdn.social mastodon fosstodon.org hachyderm.io
Bluesky: bsky.app bluesky bsky
Hacker News: news.ycombinator.com hackernews hn
Product Hunt: producthunt.com producthunt
GitHub: github.com github
GitLab: gitlab.com
Stack Overflow: stackoverflow.com stackexchange.com
Quora: quora.com
Medium: medium.com
Tumblr: tumblr.com
VKontakte: vk.com vkontakte.ru vk
Odnoklassniki: ok.ru odnoklassniki.ru
Weibo: weibo.com weibo.cn t.cn
WeChat: wechat.com weixin.qq.com wechat
QQ: qzone.qq.com qq.com
Douban: douban.com
Zhihu: zhihu.com
Line: line.me
Kakao: kakao.com
Xing: xing.com
Meetup: meetup.com
Nextdoor: nextdoor.com
Flipboard: flipboard.com
Pocket: getpocket.com
Instapaper: instapaper.com
Lobsters: lobste.rs
Dev.to: dev.to
Hashnode: hashnode.com
Substack: substack.com
Patreon: patreon.com
Steam: steamcommunity.com
Goodreads: goodreads.com
Flickr: flickr.com
DeviantArt: deviantart.com
Dribbble: dribbble.com
Behance: behance.net
Clubhouse: joinclubhouse.com
Gab: gab.com
Parler: parler.com
Truth Social: truthsocial.com
Viber: viber.com
Signal: signal.org signal.me
Skype: skype.com
Slashdot: slashdot.org
Digg: digg.com
Mix: mix.com stumbleupon.com
Taringa: taringa.net
Viadeo: viadeo.com
Hatena: hatena.ne.jp b.hatena.ne.jp
Mixi: mixi.jp
Ameba: ameblo.jp
Yelp: yelp.
TripAdvisor: tripadvisor.
Indie Hackers: indiehackers.com
Lemmy: lemmy.world lemmy.ml
""",
    "video": """
YouTube: youtube.com youtu.be yt youtube yt-ads m.youtube.com com.google.android.youtube
Vimeo: vimeo.com vimeo
Twitch: twitch.tv twitch
Dailymotion: dailymotion.com
Netflix: netflix.com
Hulu: hulu.com
Disney+: disneyplus.com
Wistia: wistia.com wistia.net
Bilibili: bilibili.com
Youku: youku.com
iQIYI: iqiyi.com
Niconico: nicovideo.jp
Rumble: rumble.com
Odysee: odysee.com
PeerTube: peertube.tv
TED: ted.com
Crackle: crackle.com
Rutube: rutube.ru
Kick: kick.com
""",
    "shopping": """
Google Shopping: shopping.google.com
Amazon: amazon. amzn.to amazon
eBay: ebay. ebay
AliExpress: aliexpress.com
Alibaba: alibaba.com
Etsy: etsy.com etsy
Temu: temu.com
Shein: shein.com
Walmart: walmart.com
Target: target.com
Best Buy: bestbuy.com
Shopify: shopify.com shop.app myshopify.com
Shopping.com: shopping.com
Idealo: idealo.
PriceRunner: pricerunner.
PriceGrabber: pricegrabber.com
Shopzilla: shopzilla.com
Kelkoo: kelkoo.
Billiger: billiger.de
Geizhals: geizhals.at geizhals.de
Zalando: zalando.
Otto: otto.de
Rakuten: rakuten.
Mercado Libre: mercadolibre. mercadolivre.com.br
Taobao: taobao.com
JD: jd.com
Tmall: tmall.com
Flipkart: flipkart.com
Shopee: shopee.
Lazada: lazada.
Allegro: allegro.pl
Cdiscount: cdiscount.com
Bol: bol.com
Wish: wish.com
Wayfair: wayfair.
Home Depot: homedepot.com
IKEA: ikea.com
OLX: olx.
Ozon: ozon.ru
Wildberries: wildberries.ru
Yandex Market: market.yandex.ru
Craigslist: craigslist.org
Gumtree: gumtree.com
Newegg: newegg.com
Slickdeals: slickdeals.net
""",
    "email": """
Gmail: mail.google.com gmail com.google.android.gm
Outlook: outlook.live.com outlook.office.com outlook.office365.com outlook com.microsoft.office.outlook
Yahoo! Mail: mail.yahoo.com mail.yahoo.net
Proton Mail: mail.proton.me mail.protonmail.com
iCloud Mail: icloud.com
GMX Mail: navigator.gmx.net bap.navigator.gmx.net
Web.de Mail: navigator.web.de
Mail.ru Mail: e.mail.ru mail.ru
Yandex Mail: mail.yandex.ru mail.yandex.com
Zoho Mail: mail.zoho.com
Fastmail: app.fastmail.com fastmail.com
AOL Mail: mail.aol.com
Naver Mail: mail.naver.com
QQ Mail: mail.qq.com
163 Mail: mail.163.com
Mailchimp: mailchimp.com mailchi.mp mailchimp
Brevo: brevo sendinblue
HubSpot Mail: hs_email
Klaviyo: klaviyo
Orange Mail: messagerie.orange.fr
Free Mail: zimbra.free.fr
T-Online Mail: email.t-online.de
Rambler Mail: mail.rambler.ru
""",
    "ai": """
ChatGPT: chatgpt.com chat.openai.com openai.com openai chatgpt com.openai.chatgpt
Claude: claude.ai claude
Gemini: gemini.google.com bard.google.com gemini
Perplexity: perplexity.ai perplexity ai.perplexity.app.android
Copilot: copilot.microsoft.com copilot edgeservices.bing.com
DeepSeek: chat.deepseek.com deepseek.com deepseek
Grok: grok.com grok
Phind: phind.com
Meta AI: meta.ai
Mistral: chat.mistral.ai mistral
Poe: poe.com
Kimi: kimi.moonshot.cn kimi.com
Qwen: chat.qwen.ai tongyi.aliyun.com
Doubao: doubao.com
Character.AI: character.ai
Duck.ai: duck.ai
HuggingChat: huggingface.co
NotebookLM: notebooklm.google.com
""",
}

PAID_TAGS = frozenset(
    [
        "fb-ads", "fbads", "fbad", "facebook-ads", "facebook_ads", "facebook_ad", "facebook_feed_ad", "yt-ads",
        "reddit-ads", "google_ads", "google-ads", "googleads", "gads", "google ads", "adwords", "twitter-ads",
        "tiktokads",
    ]
)  # fmt: skip
"""Values of utm_source that say that the visit was paid for."""


def _tables() -> tuple[dict[str, str], dict[str, str], dict[str, Kind]]:
    names: dict[str, str] = {}
    stems: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for kind, lines in _LISTED.items():
        for line in lines.strip().splitlines():
            name, _, means = line.partition(": ")
            kinds[name] = kind
            names[name.lower()] = name
            for one in means.split():
                if one.endswith("."):
                    stems[one] = name
                else:
                    names[one] = name
    return names, stems, kinds


_NAMES, _STEMS, _KINDS = _tables()


def kind_of(source: str) -> Kind:
    """What kind of site a source is; empty: not known."""
    return _KINDS.get(source, "")


@lru_cache(maxsize=4_000)
def named(text: str) -> str:
    """The name of the source that a tag, host or package of an app means; the text itself where none is known."""
    wanted = text.strip().lower()
    if found := _NAMES.get(wanted):
        return found
    host = wanted.removeprefix("www.")
    while "." in host:
        if found := _NAMES.get(host):
            return found
        # google. means google.com, google.co.uk and all the others, not google.example.com
        for stem, name in _STEMS.items():
            if host.startswith(stem) and len(host) - len(stem) <= len("com.br"):
                return name
        host = host.partition(".")[2]
    return text.strip()
