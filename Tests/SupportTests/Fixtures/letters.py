"""Makes the letters that the tests deliver, with Python's email package, as people's programs write them.

`reply@test.invalid` stands for the signed address, which a test puts in.
"""
import email.policy
import pathlib
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText

HERE = pathlib.Path(__file__).parent
ANSWER = "Спасибо! Баллы пришли, но только за половину чека.\nПосмотрите, пожалуйста, ещё раз."
QUOTE = "> Мы проверили чек: он зачислен на вашу карту.\n> И принёс 22 балла."


def write(name: str, letter: EmailMessage, lines: str = "\r\n") -> None:
    policy = email.policy.SMTP if lines == "\r\n" else email.policy.default
    (HERE / f"{name}.eml").write_bytes(letter.as_bytes(policy=policy))


def headers(letter: EmailMessage, name: str, subject: str = "Re: Обращение № 1001") -> None:
    letter["From"] = "Анна Петровна Иванова <anna@example.org>"
    letter["To"] = "Поддержка <reply@test.invalid>"
    letter["Subject"] = subject
    letter["Message-ID"] = f"<{name}@example.org>"
    letter["Date"] = "Fri, 27 Nov 2026 12:00:00 +0300"


def quoted_printable() -> None:
    letter = EmailMessage()
    headers(letter, "plain")
    letter.set_content(f"{ANSWER}\n\n27.11.2026 11:00, Поддержка пишет:\n{QUOTE}\n", cte="quoted-printable")
    write("plain", letter)


def page_only() -> None:
    letter = EmailMessage()
    headers(letter, "page")
    first, second = ANSWER.split("\n")
    letter.set_content(
        f"<html><head><style>p {{color: red}}</style></head><body><p>{first}</p><p>{second}</p>"
        '<div class="gmail_quote">пт, 27 нояб. 2026 г. в 11:00, Поддержка &lt;a@b.example&gt; написал:<br>'
        "<blockquote>Мы проверили чек<blockquote>старое</blockquote></blockquote></div></body></html>",
        subtype="html", cte="base64")
    write("page", letter, "\n")


def both() -> None:
    letter = EmailMessage()
    headers(letter, "both")
    letter.set_content(f"{ANSWER}\n\nOn Fri, Nov 27, 2026 at 11:00 AM Support <a@b.example>\nwrote:\n\n{QUOTE}\n")
    letter.add_alternative(f"<p>{ANSWER}</p><blockquote>x</blockquote>", subtype="html")
    picture = (HERE / "gps.jpg").read_bytes()
    letter.add_attachment(picture, maintype="image", subtype="jpeg", filename="чек.jpg")
    letter.add_attachment(b"MZ\x90", maintype="application", subtype="octet-stream", filename="virus.exe")
    letter.add_attachment(b"not a picture", maintype="image", subtype="png", filename="x.png")
    write("both", letter)


def old(charset: str, name: str) -> None:
    """As mail programs of 2005 write: everything in their character set, subject and sender as well."""
    body = f"{ANSWER}\n\n-----Исходное сообщение-----\nОт: Поддержка\nТема: Чек\n\nстарое\n"
    letter = MIMEText(body, "plain", charset)
    letter["From"] = f"{Header('Анна Иванова', charset).encode()} <anna@example.org>"
    letter["To"] = "reply@test.invalid"
    letter["Subject"] = Header("Re: Обращение № 1001", charset if charset != "koi8-r" else "utf-8")
    letter["Message-ID"] = f"<{name}@example.org>"
    (HERE / f"{name}.eml").write_bytes(letter.as_bytes())


def automatic() -> None:
    letter = EmailMessage()
    headers(letter, "automatic", "Вне офиса")
    letter["Auto-Submitted"] = "auto-replied"
    letter.set_content("Меня нет до понедельника.")
    write("automatic", letter)


def fresh() -> None:
    letter = EmailMessage()
    headers(letter, "fresh", "Как вернуть баллы за испорченный кефир из магазина на улице Большая Полянка?")
    letter.replace_header("To", "support@support.example")
    letter.set_content("Здравствуйте!\nКефир оказался просрочен.\n\n-- \nАнна\nОтправлено с телефона\n")
    write("fresh", letter)


quoted_printable()
page_only()
both()
old("windows-1251", "windows")
old("koi8-r", "koi")
automatic()
fresh()
